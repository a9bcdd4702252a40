package persist

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/datadir/faults"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/vault"
)

// What was lost in the middle of a file counts against what is promised.
func TestHolesAreTold(t *testing.T) {
	disk := faults.New()
	r := begin(t, disk, cache.MinBytes, manual)
	r.ready()
	for i := range few {
		r.cache.Replay([]packet.Packet{{Time: int64(i) * int64(time.Second), Data: frame(i), OrigLen: 300}})
	}
	r.end()
	text := file(t, disk, vault.Name)
	holes := 0
	for at := 1 << 16; at < len(text); at += stride << 14 {
		wrong := bytes.Clone(text)
		wrong[at] ^= 1
		r := begin(t, with(t, disk, wrong), cache.MinBytes, manual)
		r.ready()
		got := contents(r.cache)
		newest := -1
		for i := range few {
			if got[string(frame(i))] == 0 {
				newest = i
			}
		}
		stats := r.cache.Stats()
		age, complete := stats.Promise(cache.NumClasses - 1)
		what := fmt.Sprintf("flipped at %d, %d packets are there", at, len(got))
		if newest >= 0 {
			holes++
			if lost := time.Duration(few-1-newest) * time.Second; len(got) > 0 && complete || age > lost+time.Minute {
				t.Errorf("%s: promised are %v (complete: %t), the newest that is lost is %v old", what, age, complete, lost)
			}
		}
		r.kill()
	}
	if holes == 0 {
		t.Error("nothing was lost")
	}
}
