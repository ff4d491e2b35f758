# SPDX-License-Identifier: Apache-2.0
# bench/table.awk: "cell proxy metric value" lines, one per round -> tables of medians in markdown.
# A ratio is the median of the rounds' ratios: the proxies of one round ran within seconds.

# Of the figures of all rounds; with `base`, another proxy, of their ratios to its figures.
function median(cell, proxy, metric, base,    key, other, n, i, j, v, a) {
    key = cell SUBSEP proxy SUBSEP metric
    other = cell SUBSEP base SUBSEP metric
    n = counts[key]
    if (base != "" && counts[other] < n) {
        n = counts[other]
    }
    if (n == 0) {
        return ""
    }
    for (i = 1; i <= n; i++) {
        v = values[key, i] + 0
        if (base != "") {
            v /= values[other, i]
        }
        for (j = i - 1; j >= 1 && a[j] > v; j--) {
            a[j + 1] = a[j]
        }
        a[j + 1] = v
    }
    return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
}

function figure(value, digits) {
    return value == "" ? "-" : sprintf("%." digits "f", value)
}

function row(cell, proxy, cost, speed, memory) {
    printf "| %s | %s | %s | %s | %s | %s | %s | %s |\n", cell, proxy,
        figure(median(cell, proxy, cost), 1),
        figure(median(cell, proxy, cost, "haproxy"), 2),
        figure(median(cell, proxy, speed), 0), figure(median(cell, proxy, "p50"), 0),
        figure(median(cell, proxy, "p99"), 0), figure(median(cell, proxy, memory), 1)
}

function table(head, wanted, cost, speed, memory,    i, j, shown) {
    for (i = 1; i <= cells; i++) {
        if ((cell_of[i] ~ /^(stream|both)-.*x/) != wanted) {
            continue
        }
        if (!shown++) {
            print "\n" head "\n|---|---|---|---|---|---|---|---|"
        }
        for (j = 1; j <= proxies; j++) {
            if (counts[cell_of[i], proxy_of[j], "rate"] || counts[cell_of[i], proxy_of[j], "cpu"]) {
                row(cell_of[i], proxy_of[j], cost, speed, memory)
            }
        }
    }
}

function goal(text, value, limit) {
    if (value == "") {
        return
    }
    if (!goals++) {
        print "\n| goal | limit | measured | |\n|---|---|---|---|"
    }
    printf "| %s | %.2f x | %.2f x | %s |\n", text, limit, value, value <= limit ? "met" : "MISSED"
}

{
    if (!($1 in cell_seen)) {
        cell_seen[$1] = 1
        cell_of[++cells] = $1
    }
    if (!($2 in proxy_seen)) {
        proxy_seen[$2] = 1
        proxy_of[++proxies] = $2
    }
    key = $1 SUBSEP $2 SUBSEP $3
    values[key, ++counts[key]] = $4
}

END {
    table("| cell | proxy | CPU us/call | x haproxy | calls/s | p50 us | p99 us | RSS MiB |",
        0, "cpu", "rate", "rss")
    table("| cell | proxy | CPU us/event | x haproxy | events/s | lag p50 us | lag p99 us " \
        "| KiB/stream |", 1, "cpu", "rate", "kib")
    h = "headgate"
    p = "haproxy"
    goal("1 KB call, 64 connections, to HAProxy", median("call-1k-64", h, "cpu", p), 0.95)
    for (i = 1; i <= cells; i++) {
        if (cell_of[i] ~ /^both-1k-/) {
            goal("1 KB call, " cell_of[i] ", to HAProxy", median(cell_of[i], h, "cpu", p), 0.95)
        }
        if (cell_of[i] ~ /^(stream|both)-.*x/) {
            goal("event, " cell_of[i] ", to HAProxy", median(cell_of[i], h, "cpu", p), 0.85)
        }
    }
    own = median("open-0", h, "cpu")
    if (own > 0 && median("open-5000", h, "cpu") != "") {
        goal("1 KB call with 5,000 streams open, to its own cost with none",
            median("open-5000", h, "cpu") / own, 1.2)
    }
    goal("1 KB call, TLS upstream, to HAProxy", median("tls-1k-64", h, "cpu", p), 1.3)
    goal("1 KB call, translated, to HAProxy", median("call-1k-64", "translated", "cpu", p), 3)
    goal("64 KB call, translated, to HAProxy", median("call-64k-16", "translated", "cpu", p), 6)
}
