-- The ledger, schema 5. One row here is one fact; all else (RRD, MySQL, reports) is derived.
-- Times are UTC seconds. Bytes are IP bytes in the guest's view; raw counters are the kernel's, dom0's view.

CREATE TABLE meta (                    -- uuid: names this ledger to its sinks; created; open_slot: slots below it are complete; unattributed: see view charging;
                                       -- position: up to which reading of the kernel's class counts this ledger goes
	key TEXT PRIMARY KEY NOT NULL,
	value NOT NULL
) WITHOUT ROWID;

CREATE TABLE run (                     -- one life of xenbwd; what lies between two runs was not observed
	id INTEGER PRIMARY KEY,
	boot TEXT NOT NULL,            -- the kernel's boot id
	started INTEGER NOT NULL,
	seen INTEGER NOT NULL,         -- last commit
	ended INTEGER                  -- clean stop; NULL while it runs or when it was killed
);

CREATE TABLE bucket (
	id INTEGER PRIMARY KEY,
	kind TEXT NOT NULL CHECK (kind IN ('domain', 'ip'))
);

CREATE TABLE bucket_label (            -- dated labels: at any time a label names one bucket
	bucket INTEGER NOT NULL REFERENCES bucket(id),
	label TEXT NOT NULL,
	since INTEGER NOT NULL,
	until INTEGER,                 -- NULL: the present label
	PRIMARY KEY (bucket, since)
) WITHOUT ROWID;
CREATE UNIQUE INDEX bucket_label_present ON bucket_label(label) WHERE until IS NULL;

CREATE TABLE bucket_uuid (             -- which domains were charged to a bucket
	uuid TEXT PRIMARY KEY NOT NULL, -- with a blank and the name behind it where two live domains had one uuid
	bucket INTEGER NOT NULL REFERENCES bucket(id)
) WITHOUT ROWID;

CREATE TABLE vif (                     -- one vif of one domain's life, as the toolstack described it last; domid 0: dom0 in a bridge, devid its ifindex
	id INTEGER PRIMARY KEY,
	boot TEXT NOT NULL,
	domid INTEGER NOT NULL,
	devid INTEGER NOT NULL,
	uuid TEXT,
	domain TEXT NOT NULL,
	mac TEXT,
	addresses TEXT,                -- the toolstack's, separated by blanks
	bridge TEXT,
	netdev TEXT,
	bucket INTEGER NOT NULL REFERENCES bucket(id),
	appeared INTEGER NOT NULL,
	gone INTEGER                   -- NULL while it is there
);
CREATE INDEX vif_bucket ON vif(bucket);

CREATE TABLE epoch (                   -- one life of a network device's counters
	id INTEGER PRIMARY KEY,
	vif INTEGER NOT NULL REFERENCES vif(id),
	boot TEXT NOT NULL,
	ifindex INTEGER NOT NULL,
	netdev TEXT NOT NULL,
	rx_header INTEGER NOT NULL,    -- link header bytes that the driver counts in a packet
	tx_header INTEGER NOT NULL,
	base_rx_bytes INTEGER NOT NULL, base_rx_packets INTEGER NOT NULL,
	base_tx_bytes INTEGER NOT NULL, base_tx_packets INTEGER NOT NULL,
	last_rx_bytes INTEGER NOT NULL, last_rx_packets INTEGER NOT NULL,
	last_tx_bytes INTEGER NOT NULL, last_tx_packets INTEGER NOT NULL,
	total_input INTEGER NOT NULL,  -- booked so far = T of this epoch
	total_output INTEGER NOT NULL,
	carrier_down INTEGER NOT NULL,
	opened INTEGER NOT NULL,
	seen INTEGER NOT NULL,
	closed INTEGER,
	reason TEXT,                   -- why it was closed
	doubtful INTEGER NOT NULL,     -- times the carrier went down without proof of a reset
	ahead_bytes INTEGER NOT NULL DEFAULT 0,   -- attribution kernel: what its own count of this life, at `position`,
	ahead_packets INTEGER NOT NULL DEFAULT 0, -- had beyond `last`: came in between the two readings, or was never this life's
	ahead_known INTEGER NOT NULL DEFAULT 0    -- 1: exact; 2: no more than that, and the life before was booked by it
);
CREATE INDEX epoch_open ON epoch(boot, ifindex) WHERE closed IS NULL;
CREATE INDEX epoch_vif ON epoch(vif);

CREATE TABLE baseline (                -- counters of devices that were there before the ledger was
	boot TEXT NOT NULL,
	ifindex INTEGER NOT NULL,
	rx_bytes INTEGER NOT NULL, rx_packets INTEGER NOT NULL,
	tx_bytes INTEGER NOT NULL, tx_packets INTEGER NOT NULL,
	PRIMARY KEY (boot, ifindex)
) WITHOUT ROWID;

CREATE TABLE waiting (                 -- of what was read up to `position`: seen on an uplink, and not in a vif's counters yet
	vif INTEGER NOT NULL REFERENCES vif(id),
	address TEXT NOT NULL,
	direction INTEGER NOT NULL,    -- 0: input, 1: output
	class INTEGER NOT NULL,        -- 0: external, 1: peer, 2: direct, 3: local, 4: ignored
	bytes INTEGER NOT NULL,
	PRIMARY KEY (vif, address, direction, class)
) WITHOUT ROWID;

CREATE TABLE take (                    -- immutable; folded into `slot` once every sink has passed it
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	slot INTEGER NOT NULL,         -- start of the five minutes
	bucket INTEGER NOT NULL REFERENCES bucket(id),
	vif INTEGER NOT NULL REFERENCES vif(id),
	address TEXT NOT NULL,         -- own address, '' where it is not known
	from_time INTEGER NOT NULL,
	to_time INTEGER NOT NULL,
	external_input INTEGER NOT NULL, external_output INTEGER NOT NULL,
	peer_input INTEGER NOT NULL, peer_output INTEGER NOT NULL,
	direct_input INTEGER NOT NULL, direct_output INTEGER NOT NULL,
	local_input INTEGER NOT NULL, local_output INTEGER NOT NULL,
	ignored_input INTEGER NOT NULL, ignored_output INTEGER NOT NULL,
	unattributed_input INTEGER NOT NULL, unattributed_output INTEGER NOT NULL,
	clipped_input INTEGER NOT NULL, clipped_output INTEGER NOT NULL,
	estimated_input INTEGER NOT NULL, estimated_output INTEGER NOT NULL,
	spoofed_output INTEGER NOT NULL DEFAULT 0 -- a part of the output: not sent from an address of its own
);
CREATE INDEX take_slot ON take(slot);
CREATE INDEX take_bucket ON take(bucket, slot);

CREATE TABLE slot (
	bucket INTEGER NOT NULL REFERENCES bucket(id),
	slot INTEGER NOT NULL,
	vif INTEGER NOT NULL REFERENCES vif(id),
	address TEXT NOT NULL,
	external_input INTEGER NOT NULL, external_output INTEGER NOT NULL,
	peer_input INTEGER NOT NULL, peer_output INTEGER NOT NULL,
	direct_input INTEGER NOT NULL, direct_output INTEGER NOT NULL,
	local_input INTEGER NOT NULL, local_output INTEGER NOT NULL,
	ignored_input INTEGER NOT NULL, ignored_output INTEGER NOT NULL,
	unattributed_input INTEGER NOT NULL, unattributed_output INTEGER NOT NULL,
	clipped_input INTEGER NOT NULL, clipped_output INTEGER NOT NULL,
	estimated_input INTEGER NOT NULL, estimated_output INTEGER NOT NULL,
	spoofed_output INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (bucket, slot, vif, address)
) WITHOUT ROWID;
CREATE INDEX slot_slot ON slot(slot);

CREATE TABLE closed (                  -- what a month was closed with, and what came to that later; rows never change
	month TEXT NOT NULL,           -- YYYY-MM
	edition INTEGER NOT NULL,      -- 0: as it was closed; 1, 2, ...: corrections, as differences
	bucket INTEGER NOT NULL,       -- 0: all buckets of the owner in this period
	owner TEXT NOT NULL,           -- '': nobody
	from_time INTEGER NOT NULL, to_time INTEGER NOT NULL,
	day INTEGER NOT NULL,          -- of the calendar's month on which it began
	label TEXT NOT NULL,           -- of the bucket, then
	time INTEGER NOT NULL,         -- when it was written
	input INTEGER NOT NULL, output INTEGER NOT NULL, -- charged
	p95_input INTEGER NOT NULL, p95_output INTEGER NOT NULL, -- 95th percentiles: bytes in a slot
	slots INTEGER NOT NULL, observed INTEGER NOT NULL,
	PRIMARY KEY (month, edition, bucket, owner, from_time)
) WITHOUT ROWID;
CREATE TRIGGER closed_update BEFORE UPDATE ON closed BEGIN SELECT raise(ABORT, 'a closed month does not change'); END;
CREATE TRIGGER closed_delete BEFORE DELETE ON closed BEGIN SELECT raise(ABORT, 'a closed month does not change'); END;

CREATE TABLE crossing (                -- a percentage of a quota that was reached: a row for each, quota and period; written before the hook is called
	id INTEGER PRIMARY KEY,
	bucket INTEGER NOT NULL,       -- 0: all buckets of the owner
	owner TEXT NOT NULL,           -- '': of a bucket
	period TEXT NOT NULL,          -- billing, month, day
	from_time INTEGER NOT NULL, to_time INTEGER NOT NULL,
	class TEXT NOT NULL,
	direction TEXT NOT NULL,
	bytes INTEGER NOT NULL,        -- of the quota
	percent INTEGER NOT NULL,
	label TEXT NOT NULL,           -- of the bucket, then
	used INTEGER NOT NULL,
	time INTEGER NOT NULL,         -- when it was found
	ended INTEGER,                 -- when it was known what became of the hook
	outcome TEXT,                  -- what did; NULL: not known
	UNIQUE (bucket, owner, period, from_time, class, direction, bytes, percent)
);

CREATE TABLE sink (                    -- how far each sink has come
	name TEXT PRIMARY KEY NOT NULL,
	seq INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE event (                   -- what an admin may want to know later
	id INTEGER PRIMARY KEY,
	time INTEGER NOT NULL,
	kind TEXT NOT NULL,
	object TEXT NOT NULL,
	detail TEXT NOT NULL
);
