package dump

import (
	"bytes"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/cache"
)

// TestDumpOfHosts: a filter that names hosts finds what it finds when everything
// is read.
func TestDumpOfHosts(t *testing.T) {
	c, now := aWeek(t, 40<<20, 0.2)
	d := New(c, noFacts{})
	lately := cache.All
	lately.Since = now - int64(20*time.Minute)
	for _, text := range []string{
		"host " + sought, "src host " + sought, "net " + sought + "/32", "host 100.64.7.78", "udp and host 10.20.30.2",
		"host 10.20.30.40 and (100.64.7.77 or 10.20.30.4)", "ip6 host 2001:db8::1 or host " + sought, "arp host 10.20.30.1",
	} {
		for name, query := range map[string]cache.Query{"all": cache.All, "of the last 20 minutes": lately} {
			var files [2]sheet
			var results [2]Result
			for i, text := range []string{text, "not (not (" + text + "))"} {
				set, err := ParseFilter(text)
				if err != nil {
					t.Fatal(err)
				}
				if hosts := set.Expr().Hosts(); (hosts == nil) != (i == 1) {
					t.Fatalf("%q needs %v", text, hosts)
				}
				if results[i], err = d.Dump(t.Context(), Request{Query: query, Filter: set}, &files[i]); err != nil {
					t.Fatal(err)
				}
			}
			t.Log(text, name, results[0].Packets)
			if results[0] != results[1] || !bytes.Equal(files[0].Bytes(), files[1].Bytes()) {
				t.Errorf("%s, %s: found %+v, and when everything is read %+v", text, name, results[0], results[1])
			}
			if text == "host "+sought && name == "all" && results[0].Packets != soughtPackets {
				t.Errorf("found %d packets of %d", results[0].Packets, soughtPackets)
			}
		}
	}
}
