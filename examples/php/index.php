<?php
// SPDX-License-Identifier: GPL-2.0-or-later
//
// The months' totals of all buckets, or with ?bucket=NAME those of one and its graphs.

declare(strict_types=1);

require __DIR__ . '/lib.php';

function month_table(string $caption, string $from, array $rows): string
{
    $month = text(substr($from, 0, 7));
    $html = "<table>\n<caption>$caption <small>$month</small></caption>\n"
        . "<tr><th scope=\"col\">Bucket</th><th scope=\"col\">Input</th><th scope=\"col\">Output</th><th scope=\"col\">Sum</th></tr>\n";
    foreach ($rows as [$ip, $input, $output]) {
        $link = text('index.php?bucket=' . rawurlencode($ip));
        $html .= "<tr><th scope=\"row\"><a href=\"$link\">" . text($ip) . '</a></th><td>' . gigabytes((float)$input)
            . '</td><td>' . gigabytes((float)$output) . '</td><td>' . gigabytes((float)$input + (float)$output) . "</td></tr>\n";
    }
    return $html . ($rows ? '' : "<tr><td colspan=\"4\">No traffic.</td></tr>\n") . "</table>\n";
}

function graphs(string $bucket): string
{
    $html = '';
    foreach (SPANS as $span => $name) {
        $source = text("graph.php?span=$span&bucket=" . rawurlencode($bucket));
        $html .= "<h2>$name</h2>\n<picture><source media=\"(prefers-color-scheme: dark)\" srcset=\"$source&amp;dark=1\">"
            . "<img src=\"$source\" alt=\"Graph of one " . strtolower($name) . "\" loading=\"lazy\"></picture>\n";
    }
    return $html;
}

serve(function (): void {
    $settings = settings();
    $visible = visible_buckets($settings);
    $bucket = asked_bucket($visible);
    $db = database($settings);
    [$last, $current, $next] = months($db);
    $only = $bucket === null ? $visible : [$bucket];
    $html = '<div class="months">' . "\n"
        . month_table('Current month', $current, sums($db, $settings['table'], $current, $next, $only))
        . month_table('Last month', $last, sums($db, $settings['table'], $last, $current, $only))
        . "</div>\n<p>In GB of 2<sup>30</sup> bytes, as the guest sees it.</p>\n";
    if ($bucket !== null) {
        $html .= graphs($bucket) . "<p><a href=\"index.php\">All buckets</a></p>\n";
    }
    show_html($bucket ?? 'Traffic', $html);
});
