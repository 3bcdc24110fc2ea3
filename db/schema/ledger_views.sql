-- Views that the writer adds to a ledger of this schema where they are missing: they hold nothing, so a ledger stays one
-- of the same schema with them. A change of their text is a new schema, whose upgrade makes them anew.

CREATE VIEW IF NOT EXISTS charging AS  -- one row: are unattributed bytes in netacct's input and output? 1 or 0
	SELECT NOT EXISTS (SELECT 1 FROM meta WHERE key = 'unattributed' AND value = 'none') AS unattributed;

CREATE VIEW IF NOT EXISTS usage AS     -- every byte that was ever booked, folded or not; charged: netacct's input and output
	SELECT slot, bucket, vif, address,
		external_input, external_output, peer_input, peer_output, direct_input, direct_output,
		local_input, local_output, ignored_input, ignored_output, unattributed_input, unattributed_output,
		clipped_input, clipped_output, estimated_input, estimated_output, spoofed_output,
		external_input + unattributed_input * (SELECT unattributed FROM charging) AS charged_input,
		external_output + unattributed_output * (SELECT unattributed FROM charging) AS charged_output
	FROM slot
	UNION ALL
	SELECT slot, bucket, vif, address,
		external_input, external_output, peer_input, peer_output, direct_input, direct_output,
		local_input, local_output, ignored_input, ignored_output, unattributed_input, unattributed_output,
		clipped_input, clipped_output, estimated_input, estimated_output, spoofed_output,
		external_input + unattributed_input * (SELECT unattributed FROM charging) AS charged_input,
		external_output + unattributed_output * (SELECT unattributed FROM charging) AS charged_output
	FROM take;

CREATE VIEW IF NOT EXISTS traffic AS   -- netacct-mysql's table: a row for each bucket and local hour
	SELECT
		min(u.bucket * 100000000 + u.slot / 300) AS id,
		b.label AS ip,
		strftime('%Y-%m-%d %H:00:00', u.slot, 'unixepoch', 'localtime') AS time,
		-- REAL, for readers divide; each sum is made of integers first and is exact up to 2^53
		CAST(sum(u.charged_input) AS REAL) AS input,
		CAST(sum(u.charged_output) AS REAL) AS output,
		CAST(sum(u.peer_input) AS REAL) AS peer_input,
		CAST(sum(u.peer_output) AS REAL) AS peer_output,
		CAST(sum(u.direct_input) AS REAL) AS direct_input,
		CAST(sum(u.direct_output) AS REAL) AS direct_output,
		CAST(sum(u.local_input) AS REAL) AS local_input,
		CAST(sum(u.local_output) AS REAL) AS local_output
	FROM usage u
	JOIN (                         -- the present label, or the last one: no byte may hide
		SELECT id, coalesce((SELECT label FROM bucket_label WHERE bucket = id ORDER BY since DESC LIMIT 1),
			'#' || id) AS label
		FROM bucket
	) b ON b.id = u.bucket
	GROUP BY b.label, time;
