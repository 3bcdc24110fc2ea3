-- xenbw's tables in a MariaDB or MySQL database. `xenbw db init` makes them, with another name for traffic where
-- mysql_table says so.

-- netacct-mysql's table, column by column: one row per ip (a domain's name, or an address) and hour of the server's
-- time zone. Bytes in the guest's view; input and output are what went outside.
CREATE TABLE IF NOT EXISTS `traffic` (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
	ip VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	time DATETIME NOT NULL,
	input BIGINT UNSIGNED NOT NULL DEFAULT 0,
	output BIGINT UNSIGNED NOT NULL DEFAULT 0,
	peer_input BIGINT UNSIGNED NOT NULL DEFAULT 0,
	peer_output BIGINT UNSIGNED NOT NULL DEFAULT 0,
	direct_input BIGINT UNSIGNED NOT NULL DEFAULT 0,
	direct_output BIGINT UNSIGNED NOT NULL DEFAULT 0,
	local_input BIGINT UNSIGNED NOT NULL DEFAULT 0,
	local_output BIGINT UNSIGNED NOT NULL DEFAULT 0,
	PRIMARY KEY (id),
	UNIQUE KEY ip_time (ip, time),
	KEY time (time)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

-- How far each host's ledger is in the table above: written in the same transaction, so that nothing is there twice.
-- `taken` tells the take of that sequence from any other, so that a ledger which was put back is noticed.
CREATE TABLE IF NOT EXISTS `xenbw_host` (
	ledger_uuid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	host VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	seq BIGINT UNSIGNED NOT NULL,
	taken VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
	PRIMARY KEY (ledger_uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
