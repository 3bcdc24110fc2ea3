<?php
// SPDX-License-Identifier: GPL-2.0-or-later
//
// A bucket's graph as PNG: ?bucket=NAME, span=1d (1w, 1m, 1y), dark=1.

declare(strict_types=1);

require __DIR__ . '/lib.php';

function draw(string $file, string $title, string $span, bool $dark): string
{
    $path = str_replace(':', '\\:', $file); // its name has none, but its folder may
    $options = [
        '--start' => "-$span",
        '--vertical-label' => 'B/s',
        '--title' => $title,
        '--imgformat' => 'PNG',
        "DEF:inoctets=$path:input:AVERAGE",
        "DEF:outoctets=$path:output:AVERAGE",
        'CDEF:inbits=inoctets,8,*',
        'CDEF:outbits=outoctets,8,*',
        'AREA:inoctets#00FF00:In traffic',
        'LINE1:outoctets' . ($dark ? '#66AAFF' : '#0000FF') . ':Out traffic\r',
    ];
    foreach (['in' => 'In ', 'out' => 'Out'] as $way => $name) {
        $options[] = "GPRINT:{$way}bits:AVERAGE:$name average\\: %6.2lf %Sbps";
        $options[] = "GPRINT:{$way}bits:MAX:maximum\\: %6.2lf %Sbps\\r";
    }
    if ($dark) {
        foreach (['BACK' => '1B1D20', 'CANVAS' => '121416', 'FONT' => 'E4E6E8', 'SHADEA' => '1B1D20', 'SHADEB' => '1B1D20'] as $part => $colour) {
            array_push($options, '--color', "$part#$colour");
        }
    }
    $graph = new RRDGraph('-');
    $graph->setOptions($options);
    return $graph->saveVerbose()['image'];
}

serve(function (): void {
    $settings = settings();
    $bucket = asked_bucket(visible_buckets($settings));
    $span = $_GET['span'] ?? '1d';
    if ($bucket === null || !is_string($span) || !isset(SPANS[$span])) {
        throw new PageError('A graph needs `bucket`, and `span` as one of ' . implode(', ', array_keys(SPANS)) . '.', 400);
    }
    $file = $settings['rrd_dir'] . '/' . rrd_file_name($bucket);
    if (!is_readable($file)) {
        throw new PageError('There is no graph of this bucket yet: the first one comes when five minutes are complete.', 404);
    }
    try {
        $image = draw($file, preg_match('//u', $bucket) ? $bucket : '', $span, isset($_GET['dark']));
    } catch (Exception $e) {
        error_log("xenbw pages: $file: " . $e->getMessage());
        throw new PageError('The graph cannot be drawn; the web server\'s log says why.', 500);
    }
    header('Content-Type: image/png');
    echo $image;
});
