-- Views that the writer adds to a ledger of any age where they are missing: they hold nothing, so a ledger stays one
-- of the same schema with them.

CREATE VIEW IF NOT EXISTS traffic AS   -- netacct-mysql's table: a row for each bucket and local hour
	SELECT
		min(u.bucket * 100000000 + u.slot / 300) AS id,
		b.label AS ip,
		strftime('%Y-%m-%d %H:00:00', u.slot, 'unixepoch', 'localtime') AS time,
		-- REAL, for readers divide; each sum is made of integers first and is exact up to 2^53
		CAST(sum(u.external_input + u.unattributed_input) AS REAL) AS input,
		CAST(sum(u.external_output + u.unattributed_output) AS REAL) AS output,
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
