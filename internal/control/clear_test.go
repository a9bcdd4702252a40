package control

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/packetcache/packetcache/internal/ipc"
)

func TestClear(t *testing.T) {
	want := Cleared{Packets: 5, Bytes: 600, Files: []string{"/var/lib/packetcache/PacketCache.sealed"}}
	var fail error
	calls, from := 0, ipc.Peer{}
	dir, _ := serve(t, &fakeService{clear: func(_ context.Context, p ipc.Peer) (Cleared, error) {
		calls, from = calls+1, p
		return want, fail
	}})
	got, err := client(t, dir).Clear(t.Context())
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if calls != 1 || from.PID == 0 {
		t.Errorf("%d calls, from %+v", calls, from)
	}
	fail = errors.New("the disk is read-only")
	if _, err := client(t, dir).Clear(t.Context()); err == nil || err.Error() != fail.Error() {
		t.Errorf("%v, want %v", err, fail)
	}
}
