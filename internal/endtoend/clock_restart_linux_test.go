package endtoend

import (
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/keystore"
	stored "github.com/packetcache/packetcache/internal/record"
	"github.com/packetcache/packetcache/internal/seal"
	"github.com/packetcache/packetcache/internal/vault"
)

// The machine comes back with a clock that stands elsewhere: the service has its
// packets, and says plainly what nobody can know.
func TestClockSetOverRestart(t *testing.T) {
	const day = 24 * time.Hour
	w := newWire(t)
	dir := shortDir(t)
	args := []string{"--ram-size", "64MiB", "--checkpoint-interval", "0"}
	mark := func(s *service, text string) string {
		text += " " + dir
		w.a.play(t, "send", net.JoinHostPort(plain4, "9"), text)
		eventually(t, "the packet in the dump", func() bool { return holds(t, s.dump(), text) })
		return text
	}
	s := startAt(t, w.a, dir, args...)
	startRole(t, w.b, "server")
	w.a.play(t, "client", plain4)
	marks := []string{mark(s, "first")}
	for _, test := range []struct {
		name  string
		saved time.Duration // by how much the clock was ahead at the save
		away  time.Duration
		says  string
	}{
		{"a day ahead", day, 0, ", by a clock that has been set back since by"},
		{"a year back", -365 * day, 365 * day, ", 365 d"},
		{"right again", 0, 0, " before this one began"},
	} {
		before := s.status().Totals
		s.stop(syscall.SIGTERM)
		redate(t, dir, test.saved)
		s = startAt(t, w.a, dir, args...)
		st := s.await("the interface in the coverage log", func(st control.Status) bool { return strings.HasSuffix(kinds(st), " up") })
		r := st.Persistence.Restore
		if r == nil || r.Missing.Packets != 0 || r.Packets < before.Stored.Packets || st.Totals.Evicted.Packets != 0 {
			t.Fatalf("%s: of %d packets were restored %+v", test.name, before.Stored.Packets, r)
		}
		if away := time.Duration(r.AwaySeconds * float64(time.Second)); away < test.away || away > test.away+patience || (r.SetBackSeconds > 0) != (test.saved > 0) {
			t.Errorf("%s: restored %+v", test.name, r)
		}
		if set := strings.HasSuffix(kinds(st), "stop clock start up"); set != (test.saved > 0) {
			t.Errorf("%s: the coverage log is %q", test.name, kinds(st))
		}
		if out, _, _ := s.pcctl("status"); !strings.Contains(out, test.says) {
			t.Errorf("%s: pcctl status says\n%s", test.name, out)
		}
		for _, h := range st.Horizons {
			if age := time.Duration(h.Seconds * float64(time.Second)); !h.Complete || age < test.away {
				t.Errorf("%s: the horizon is %+v", test.name, h)
			}
		}
		marks = append(marks, mark(s, test.name))
		for _, text := range marks {
			if !holds(t, s.dump("--last", "1h"), text) {
				t.Errorf("%s: %q is missing", test.name, text)
			}
		}
	}
}

// kinds are those of the entries of the coverage log.
func kinds(st control.Status) string {
	var list []string
	for _, e := range st.Coverage {
		list = append(list, e.Kind)
	}
	return strings.Join(list, " ")
}

// redate seals the file that a service has left anew, as of another time.
func redate(t *testing.T, dir string, ahead time.Duration) {
	t.Helper()
	fine := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	v, err := vault.Open(filepath.Join(dir, "data"))
	fine(err)
	defer v.Close()
	file, err := v.Open()
	fine(err)
	defer file.Close()
	key := keyOf(t, v, file)
	in, err := seal.NewReader(file, key.Identity)
	fine(err)
	defer in.Close()
	head := *in.Head()
	head.Saved = head.Saved.Add(ahead)
	to, err := v.Create()
	fine(err)
	defer to.Abort()
	out, err := seal.NewWriter(to, key.Name, []age.Recipient{key.Recipient}, &head)
	fine(err)
	defer out.Abort()
	seg := new(stored.Segment)
	for err = in.Next(seg); err == nil; err = in.Next(seg) {
		fine(out.Segment(seg))
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	end, _ := in.End()
	fine(out.Close(end))
	fine(to.Commit())
}

// keyOf is the key that opens a file of a data directory.
func keyOf(t *testing.T, v *vault.Vault, file io.ReaderAt) *keystore.Key {
	t.Helper()
	name, err := vault.Identity(file)
	if err != nil {
		t.Fatal(err)
	}
	key, err := v.Key(name)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
