#!/usr/bin/env python3
"""Measures the service beside other capture programs on the same wire.

bench-live.py LOADS REPS [PEERS]   LOADS and PEERS are lists with commas

Needs root and the folder of the load generator and its peers (BENCH, default
../shared/bench beside the checkout); make build comes first. Prints medians
of CPU seconds per million packets and of the share of packets dropped, with
the ratio to each peer."""
import importlib.util, os, re, statistics, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
BENCH = os.environ.get('BENCH', os.path.join(HERE, '../../shared/bench'))
WORK = os.environ.setdefault('BENCH_WORK', '/tmp/pcbench')
os.environ.setdefault('AMP', '8')
os.environ.setdefault('DUR', '3')
os.makedirs(WORK, exist_ok=True)
for name in ('txgen', 'nullv3'):
    subprocess.run(['gcc', '-O2', '-o', f'{WORK}/{name}', f'{BENCH}/{name}.c'], check=True)
trace = f'{WORK}/office-dev.pcap'
if not os.path.exists(trace):
    subprocess.run(['zstd', '-q', '-d', f'{BENCH}/../corpus/office-dev.pcap.zst', '-o', trace], check=True)

spec = importlib.util.spec_from_file_location('bench', f'{BENCH}/bench.py')
bench = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bench)

BINARY = os.path.abspath(f'{HERE}/../bin/linux-amd64/packetcache')
bench.PEERS['packetcache'] = f'{BINARY} --ram-size 1GiB --interface vb --endpoint-dir {WORK}/endpoints --log-level error'
theirs = bench.parse


def parse(peer, text):
    if peer != 'packetcache':
        return theirs(peer, text)
    m = re.search(r'(\d+) packets captured, (\d+) packets dropped', text)
    return (int(m[1]), int(m[2])) if m else (None, None)


bench.parse = parse
loads, reps = sys.argv[1].split(','), int(sys.argv[2])
peers = sys.argv[3].split(',') if len(sys.argv) > 3 else ['packetcache', 'nullcopy-64', 'tcpdump-B64', 'dumpcap-B64']
rows = {}
bench.setup()
try:
    # What starting and stopping costs each of them is no cost of packets. It
    # takes us some seconds, since memory is populated behind the start.
    idle = {}
    for peer in peers:
        runs = [bench.run(peer, bench.tx('64', 800, 6), 'idle', 0) for _ in range(3)]
        idle[peer] = statistics.median(r['user'] + r['sys'] for r in runs)
    for load in loads:
        for _ in range(reps):
            for peer in peers:
                r = bench.run(peer, bench.tx(load, 0), load + '-max', 0)
                if r['captured']:
                    cpu = max(r['user'] + r['sys'] - idle[peer], 0) / r['captured'] * 1e6
                    rows.setdefault((load, peer), []).append((cpu, r['loss']))
finally:
    bench.teardown()
print(f"\n{'load':6} {'program':12} {'CPU s/M packets':>16} {'lost':>8} {'packetcache is':>15}")
for load in loads:
    ours = statistics.median(c for c, _ in rows.get((load, 'packetcache'), [(0, 0)]))
    for peer in peers:
        if not rows.get((load, peer)):
            continue
        cpu = statistics.median(c for c, _ in rows[load, peer])
        lost = statistics.median(l for _, l in rows[load, peer])
        print(f'{load:6} {peer:12} {cpu:16.3f} {100 * lost:7.1f}% {ours / cpu if cpu else 0:14.2f}x')
