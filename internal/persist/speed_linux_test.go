package persist

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/vault"
)

// BenchmarkBesideAge seals and restores a full cache, in turn with the program age,
// which encrypts and decrypts the same bytes on the same disk. Both have them on
// the disk in the end.
func BenchmarkBesideAge(b *testing.B) {
	for _, name := range []string{"age", "age-keygen"} {
		if _, err := exec.LookPath(name); err != nil {
			b.Skip(name + " is not installed")
		}
	}
	const bytesOfCache = 256 << 20
	dir := filepath.Join(b.TempDir(), "data")
	r := newRun(b, bytesOfCache, manual)
	r.at = func() (*vault.Vault, error) { return vault.Open(dir) }
	r.start()
	r.ready()
	for i := 0; r.cache.Stats().Evicted.Packets == 0; i += 1000 {
		fill(r.cache, i, 1000)
	}
	r.stop()
	<-r.ended
	defer r.Close()

	key := filepath.Join(b.TempDir(), "key")
	output(b, exec.Command("age-keygen", "-o", key))
	recipient := output(b, exec.Command("age-keygen", "-y", key))
	plain, sealed := filepath.Join(b.TempDir(), "plain"), filepath.Join(b.TempDir(), "sealed")

	var took [4][]time.Duration
	var size int64
	for b.Loop() {
		begun := time.Now()
		if r.save(true, limit{givenUp: func() bool { return false }}); r.Status().Problem != nil {
			b.Fatal(r.Status().Problem)
		}
		took[0] = append(took[0], time.Since(begun))
		size = r.Status().Saved.FileBytes
		if text, err := os.ReadFile(plain); err != nil || len(text) == 0 {
			text, err = os.ReadFile(filepath.Join(dir, vault.Name)) // as good as any bytes
			must(b, err)
			must(b, os.WriteFile(plain, text, 0o600))
		}
		begun = time.Now()
		output(b, exec.Command("age", "-r", string(bytes.TrimSpace(recipient)), "-o", sealed, plain))
		syncFile(b, sealed)
		took[1] = append(took[1], time.Since(begun))

		back := newRun(b, bytesOfCache, manual)
		back.vault = r.vault
		begun = time.Now()
		back.restore(back.ctx)
		took[2] = append(took[2], time.Since(begun))
		if s := back.Status(); s.Restored == nil || s.Restored.Kept.Packets == 0 || s.Restored.Damage != nil {
			b.Fatalf("restored %+v", s.Restored)
		}
		must(b, back.cache.Close())

		begun = time.Now()
		output(b, exec.Command("age", "-d", "-i", key, "-o", os.DevNull, sealed))
		took[3] = append(took[3], time.Since(begun))
	}
	for i, name := range []string{"save", "age", "restore", "age-d"} {
		b.ReportMetric(float64(size)/median(took[i])/1e6, name+"-MB/s")
	}
	times := func(ours, age []time.Duration) float64 {
		var ratios []time.Duration
		for i := range ours {
			ratios = append(ratios, time.Duration(float64(time.Second)*float64(age[i])/float64(ours[i])))
		}
		return median(ratios)
	}
	b.ReportMetric(times(took[0], took[1]), "save-x-age")
	b.ReportMetric(times(took[2], took[3]), "restore-x-age")
}

func median(d []time.Duration) float64 {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2].Seconds()
}

func output(t testing.TB, cmd *exec.Cmd) []byte {
	t.Helper()
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	must(t, err)
	return out
}

func syncFile(t testing.TB, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	must(t, f.Sync())
	must(t, f.Close())
}
