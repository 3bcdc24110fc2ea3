<?php
// SPDX-License-Identifier: GPL-2.0-or-later
//
// What both pages need: settings, who may see what, sums from the traffic table, names of RRD files.

declare(strict_types=1);

const GIB = 1 << 30;
const SPANS = ['1d' => 'Day', '1w' => 'Week', '1m' => 'Month', '1y' => 'Year'];

/** Trouble that the reader of a page may be told; its code is the HTTP status. */
final class PageError extends RuntimeException
{
}

function settings(): array
{
    $path = getenv('XENBW_PAGES') ?: '/etc/xenbw/pages.php';
    if (!is_readable($path)) {
        error_log("xenbw pages: cannot read $path; copy config.example.php there, or name it in XENBW_PAGES");
        throw new PageError('These pages are not configured yet.', 500);
    }
    return require $path;
}

function text(string $s): string
{
    return htmlspecialchars($s, ENT_QUOTES | ENT_SUBSTITUTE | ENT_HTML5, 'UTF-8');
}

/** The buckets that the present user may see; null: all. */
function visible_buckets(array $settings): ?array
{
    if (!$settings['owners']) {
        return null;
    }
    $own = $settings['owners'][$_SERVER['REMOTE_USER'] ?? ''] ?? [];
    if (!$own) {
        throw new PageError('Nothing here is yours to see. Log in, or ask for your buckets to be put into `owners`.', 403);
    }
    return in_array('*', $own, true) ? null : $own;
}

/** The bucket that was asked for; null: none was. */
function asked_bucket(?array $visible): ?string
{
    $bucket = $_GET['bucket'] ?? null;
    if ($bucket === null) {
        return null;
    }
    if (!is_string($bucket)) {
        throw new PageError('`bucket` must be one name.', 400);
    }
    if ($visible !== null && !in_array($bucket, $visible, true)) {
        throw new PageError('This bucket is not yours to see.', 403);
    }
    return $bucket;
}

function database(array $settings): PDO
{
    $password = null;
    if ($settings['password_file'] !== null) {
        $lines = @file($settings['password_file'], FILE_IGNORE_NEW_LINES);
        if ($lines === false) {
            error_log("xenbw pages: cannot read the password in {$settings['password_file']}");
            throw new PageError('The database\'s password cannot be read; the web server\'s log says which file.', 500);
        }
        $password = $lines[0] ?? '';
    }
    $options = [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_EMULATE_PREPARES => false];
    if (str_starts_with($settings['dsn'], 'sqlite:')) {
        $options += [PDO::SQLITE_ATTR_OPEN_FLAGS => PDO::SQLITE_OPEN_READONLY, PDO::ATTR_TIMEOUT => 5];
    }
    return new PDO($settings['dsn'], $settings['user'], $password, $options);
}

/** First instants of the last, the present and the next month, by the clock that `time` in the table goes by. */
function months(PDO $db): array
{
    $sqlite = $db->getAttribute(PDO::ATTR_DRIVER_NAME) === 'sqlite';
    $now = $db->query($sqlite ? "SELECT datetime('now', 'localtime')" : 'SELECT now()')->fetchColumn();
    $first = new DateTimeImmutable(substr($now, 0, 7) . '-01', new DateTimeZone('UTC'));
    return array_map(fn (string $step) => $first->modify($step)->format('Y-m-d H:i:s'), ['-1 month', '+0 month', '+1 month']);
}

/** Rows [ip, input, output] of the hours in [from, to). Buckets: null for all. */
function sums(PDO $db, string $table, string $from, string $to, ?array $buckets): array
{
    if (!preg_match('/^[A-Za-z0-9_$]+$/D', $table)) {
        throw new PageError('`table` in the settings is no name of a table.', 500);
    }
    $which = $buckets === null ? '' : ' AND ip IN (' . implode(', ', array_fill(0, count($buckets), '?')) . ')';
    $query = $db->prepare("SELECT ip, sum(input), sum(output) FROM `$table` WHERE time >= ? AND time < ?$which GROUP BY ip ORDER BY ip");
    $query->execute([$from, $to, ...array_values($buckets ?? [])]);
    return $query->fetchAll(PDO::FETCH_NUM);
}

function gigabytes(float $bytes): string
{
    return number_format($bytes / GIB, 3, '.', '');
}

/** A label as xenbw names its RRD file. */
function rrd_file_name(string $label): string
{
    $room = 255 - strlen('.rrd');
    $name = $label === '' ? '%' : preg_replace_callback(
        '~[/:%\x00-\x1f\x7f]|^\.~',
        fn (array $m) => sprintf('%%%02X', ord($m[0])),
        $label
    );
    if (strlen($name) > $room) {
        $keep = $room - 18;
        while ($keep > 0 && (ord($name[$keep]) & 0xc0) === 0x80) {
            $keep--;
        }
        // no %XX is cut in two
        $name = preg_replace('/%.?$/Ds', '', substr($name, 0, $keep)) . '%-' . hash('fnv1a64', $label);
    }
    return $name . '.rrd';
}

/** Runs a page; says what went wrong, in general to the reader and in detail to the log. */
function serve(callable $page): void
{
    header("Content-Security-Policy: default-src 'none'; img-src 'self'; style-src 'self'; frame-ancestors 'none'");
    header('X-Content-Type-Options: nosniff');
    header('Cache-Control: private, max-age=60');
    try {
        $page();
        return;
    } catch (PageError $e) {
        [$status, $why] = [$e->getCode(), $e->getMessage()];
    } catch (PDOException $e) {
        error_log('xenbw pages: ' . $e->getMessage());
        [$status, $why] = [503, 'The database cannot be read; the web server\'s log says why.'];
    }
    http_response_code($status);
    show_html('Trouble', '<p class="trouble">' . text($why) . "</p>\n");
}

function show_html(string $title, string $body): void
{
    header('Content-Type: text/html; charset=utf-8');
    $title = text($title);
    echo <<<END
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>$title</title>
        <link rel="stylesheet" href="style.css">
        </head>
        <body>
        <h1>$title</h1>
        $body</body>
        </html>

        END;
}
