# SPDX-FileCopyrightText: The rein authors
# SPDX-License-Identifier: MIT
# One plot, from settings that bench/plot gives: output_file, data, x_title, y_title; names and
# colours, a word for each column of data after the first.
set terminal svg size 720,440 noenhanced font 'sans-serif,13' linewidth 1.5
set output output_file
set datafile missing '-'
grey = '#808080' # for a light page and for a dark one
set border 3 linecolor rgb grey
set xtics nomirror textcolor rgb grey
set ytics nomirror textcolor rgb grey
set grid xtics ytics linecolor rgb grey dashtype 3 linewidth 0.4
set key outside right top textcolor rgb grey
set xlabel x_title textcolor rgb grey
set ylabel y_title textcolor rgb grey
set logscale xy
set format y '%.0f'
set xtics add autofreq
stats data using 1 nooutput
set format x '%.0f'
if (STATS_max < 1000) { set logscale x 2 } # a tic for each doubling
plot for [i=1:words(names)] data using 1:(column(i + 1)) with linespoints \
    linecolor rgb word(colours, i) linewidth (i == 1 ? 2.5 : 1) pointtype 7 pointsize 0.5 \
    title word(names, i)
