-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- A ledger that adds up, on top of the schema: resets, a reboot, base lines, bytes in other periods and buckets. November
-- begins at 1793487600. Vif 1 is of two lives; what bucket 2 has of it was booked before a rename.
PRAGMA application_id = 0x78656e62;
PRAGMA user_version = 3;
INSERT INTO meta VALUES ('uuid', 'feed'), ('created', 1790000000), ('open_slot', 1795431600);
INSERT INTO run VALUES (1, 'b', 1790000000, 1793490000, NULL), (2, 'b', 1793490060, 1793500000, 1793500000), (3, 'c', 1793500600, 1795431605, NULL);
INSERT INTO bucket VALUES (1, 'domain'), (2, 'domain'), (3, 'domain');
INSERT INTO bucket_label VALUES (1, 'web', 1790000000, NULL), (2, 'old', 1790000000, NULL), (3, 'idle', 1790000000, NULL);
INSERT INTO vif VALUES
	(1, 'b', 3, 0, NULL, 'web', '00:16:3e:00:00:01', NULL, 'xenbr0', 'vif3.0', 1, 1790000000, 1793500000),
	(2, 'c', 1, 0, NULL, 'web', NULL, NULL, NULL, 'vif1.0', 1, 1793500700, NULL);
INSERT INTO epoch VALUES
	(1, 1, 'b', 5, 'vif3.0', 0, 14, 500,5,1014,1, 1500,15,2428,2, 1400,1000, 0, 1790000000, 1793488000, 1793488000, 'counters went back', 0, 0, 0, 0),
	(2, 1, 'b', 5, 'vif3.0', 0, 14, 0,0,0,0, 700,7,1140,10, 1000,700, 0, 1793488000, 1793500000, 1793500000, 'reboot', 2, 0, 0, 0),
	(3, 2, 'c', 6, 'vif1.0', 0, 14, 0,0,0,0, 90,1,0,0, 0,90, 0, 1793500700, 1795431605, NULL, NULL, 0, 0, 0, 0);
-- external, peer, direct, local, ignored, unattributed, clipped, estimated, spoofed
INSERT INTO slot VALUES
	(2, 1790000100, 1, '', 100,50, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0),
	(1, 1793487300, 1, '', 300,150, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0),
	(1, 1793487600, 1, '', 1000,1000, 20,30, 0,0, 480,10, 0,0, 100,0, 7,8, 25,0, 5),
	(1, 1793499900, 1, '', 400,460, 0,0, 0,0, 0,0, 25,0, 0,0, 0,0, 0,0, 0);
INSERT INTO take VALUES (9, 1795431600, 1, 2, '', 1795431600, 1795431605, 0,90, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0);
INSERT INTO event VALUES (1, 1793488000, 'spoofed', 'vif3.0', 'first'), (2, 1793489000, 'spoofed', 'vif3.0', 'second'),
	(3, 1793489000, 'spoofed', 'vif9.0', 'not of web'), (4, 1793489100, 'clock', 'host', 'went back by 9 s'), (5, 1790000000, 'clock', 'host', 'before');
