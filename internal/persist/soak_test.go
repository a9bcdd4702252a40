//go:build soak

package persist

import (
	"path/filepath"
	"testing"
	"time"
)

// Of 1 GiB, a second is enough for the beginnings of all sessions, in a file that
// is whole.
func TestSoakSecond(t *testing.T) {
	const bytes = 5 << 28
	dir := filepath.Join(t.TempDir(), "data")
	r := beginIn(t, dir, bytes, manual)
	r.ready()
	for i := 0; r.cache.Stats().Used < 1<<30; i += 1000 {
		fill(r.cache, i, 1000)
	}
	before := r.cache.Stats()
	r.by = time.Second
	r.stop()
	<-r.ended
	begun := time.Now()
	r.Save(r.ctx)
	took := time.Since(begun)
	saved := r.Status().Saved
	if saved == nil {
		t.Fatalf("not saved: %+v, %q", r.Status(), r.log.text("CacheNotSaved"))
	}
	t.Logf("%d MiB of %d in %v, %d of %d packets; %s", saved.FileBytes>>20, before.Used>>20, took, saved.Held.Packets, before.Held().Packets, r.log.text("CacheSavedInPart"))
	if took > time.Second+200*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	r.Close()
	again := beginIn(t, dir, bytes, manual)
	if s := again.ready(); s.Restored.Damage != nil || s.Restored.Kept != saved.Held {
		t.Errorf("restored %+v", s.Restored)
	}
	after := again.cache.Stats()
	if _, complete := after.PromiseAnswered(0); !complete || after.Classes[0].Held != before.Classes[0].Held {
		t.Errorf("of the first KiB of all sessions %+v came back, complete: %t; there were %+v", after.Classes[0].Held, complete, before.Classes[0].Held)
	}
	again.kill()
}
