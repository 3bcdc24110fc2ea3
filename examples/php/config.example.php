<?php
// SPDX-License-Identifier: GPL-2.0-or-later
//
// Settings of the pages. Copy this file to /etc/xenbw/pages.php, outside the document root, or elsewhere and name it in
// the web server's environment variable XENBW_PAGES.

declare(strict_types=1);

return [
    // A user that may only read: GRANT SELECT ON netacct.traffic TO xenbw_reader@localhost
    'dsn' => 'mysql:unix_socket=/run/mysqld/mysqld.sock;dbname=netacct;charset=utf8mb4',
    'user' => 'xenbw_reader',
    // Its first line is the password; readable by the web server's user alone. null: no password.
    'password_file' => '/etc/xenbw/reader.password',
    'table' => 'traffic',

    // Without MySQL, on dom0 itself, from the ledger (the web server's user must be in the ledger's group):
    // 'dsn' => 'sqlite:/var/lib/xenbw/ledger.db', 'user' => null, 'password_file' => null,

    'rrd_dir' => '/var/lib/xenbw/rrd',

    // Who may see which buckets, by the name under which the web server let him in (REMOTE_USER); '*' is all of them.
    // Whoever is not named sees none. With an empty list everybody sees everything.
    'owners' => [
        // 'alice' => ['web', '192.168.1.2'],
        // 'billing' => ['*'],
    ],
];
