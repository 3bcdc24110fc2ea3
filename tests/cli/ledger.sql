-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- What the tests of xenbw find in their ledger, on top of the schema: two months in the life of a host
-- whose time zone is Europe/Berlin. 2026-11-01 00:00 CET is 1793487600, 2026-10-01 00:00 CEST is 1790805600.
PRAGMA application_id = 0x78656e62;
PRAGMA user_version = 6;

INSERT INTO meta VALUES ('uuid', 'feed'), ('created', 1790000000), ('open_slot', 1795431600);
INSERT INTO run VALUES
	(1, 'boot-one', 1790000000, 1793000000, 1793000000),
	(2, 'boot-two', 1793000100, 1795431605, NULL);

INSERT INTO bucket VALUES (1, 'domain'), (2, 'domain'), (3, 'domain'), (4, 'domain'), (5, 'domain');
INSERT INTO bucket_label VALUES
	(1, 'web', 1790000000, NULL),
	(2, 'web10', 1790000000, NULL),
	(3, 'web2', 1790000000, 1793000000), -- renamed
	(3, '=SUM(A1)', 1793000000, NULL),
	(4, 'Grüße, "Welt"', 1790000000, NULL),
	(5, 'mail', 1790000000, 1792000000); -- no domain is called so any more

INSERT INTO vif VALUES
	(1, 'boot-one', 3, 0, '11111111-1111-4111-8111-111111111111', 'web', '00:16:3e:00:00:01', '10.0.0.1', 'xenbr0', 'vif3.0', 1, 1790000000, 1793000000),
	(2, 'boot-two', 4, 0, '11111111-1111-4111-8111-111111111111', 'web', '00:16:3e:00:00:01', '10.0.0.1 2001:db8::1', 'xenbr0', 'vif4.0', 1, 1793000100, NULL),
	(3, 'boot-two', 5, 0, '22222222-2222-4222-8222-222222222222', 'web10', '00:16:3e:00:00:02', '10.0.0.2', 'xenbr0', 'vif5.0', 2, 1793000100, NULL),
	(4, 'boot-two', 5, 1, '22222222-2222-4222-8222-222222222222', 'web10', NULL, NULL, 'xenbr1', 'inside', 2, 1793000100, NULL),
	(5, 'boot-two', 6, 0, NULL, '=SUM(A1)', '00:16:3e:00:00:03', '10.0.0.3', NULL, NULL, 3, 1793000100, NULL),
	(6, 'boot-two', 7, 0, NULL, 'Grüße, "Welt"', '00:16:3e:00:00:04', '10.0.0.4', 'xenbr0', 'vif7.0', 4, 1793000100, 1795000000),
	(7, 'boot-one', 9, 0, NULL, 'mail', NULL, NULL, 'xenbr0', 'vif9.0', 5, 1790000000, 1791000000);

-- Columns: external, peer, direct, local, ignored, unattributed, clipped, estimated; each in, out; spoofed.
INSERT INTO slot VALUES
	(1, 1790805300, 1, '10.0.0.1', 1,1, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0), -- the last slot of September
	(1, 1790805600, 1, '10.0.0.1', 0,0, 0,0, 0,0, 0,0, 0,0, 1000000,2000000, 0,0, 0,0, 0),
	(1, 1793487300, 2, '10.0.0.1', 0,0, 0,0, 0,0, 0,0, 0,0, 10,20, 0,0, 0,0, 0), -- the last one of October
	(1, 1793487600, 2, '10.0.0.1', 5000000000,300, 40,50, 0,0, 600,700, 0,0, 0,0, 0,0, 0,0, 0),
	(1, 1793487600, 2, '2001:db8::1', 7,8, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0),
	(2, 1793487600, 3, '10.0.0.2', 1024,2048, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0),
	(2, 1793487600, 4, '', 1,2, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0),
	(5, 1790805600, 7, '', 0,0, 0,0, 0,0, 0,0, 0,0, 7,7, 0,0, 0,0, 0);
INSERT INTO epoch VALUES
	(1, 2, 'boot-two', 14, 'vif4.0', 0, 14, 0,0,0,0, 0,0,0,0, 0,0, 0, 1793000100, 1795431605, NULL, NULL, 0, 0, 0, 0);
INSERT INTO take VALUES
	(1, 1795431600, 1, 2, '10.0.0.1', 1795431600, 1795431605, 100,200, 0,0, 0,0, 0,0, 0,0, 11,22, 1,2, 3,4, 0),
	(2, 1795431600, 3, 5, '10.0.0.3', 1795431600, 1795431605, 9007199254740993,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0),
	(3, 1794787200, 4, 6, '10.0.0.4', 1794787200, 1794787300, 1,2, 0,0, 0,0, 0,0, 3,4, 0,0, 0,0, 0,0, 0);
