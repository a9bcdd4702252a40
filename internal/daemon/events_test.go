package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sirupsen/logrus"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/capture/capturetest"
	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/dump"
	"github.com/packetcache/packetcache/internal/ipc"
	"github.com/packetcache/packetcache/internal/packet"
)

// newRecorded is a daemon without parts, whose log can be read.
func newRecorded() (*Daemon, *bytes.Buffer) {
	var out bytes.Buffer
	log := logrus.New()
	log.SetOutput(&out)
	log.SetFormatter(&logrus.TextFormatter{DisableColors: true, DisableTimestamp: true})
	loop := capture.NewLoop(nil, nil, capture.Config{}, nil)
	return &Daemon{log: log, loop: loop, drops: map[string]uint64{}}, &out
}

func TestCaptureEvents(t *testing.T) {
	drops := map[string]uint64{}
	eth0 := packet.Interface{Name: "eth0", LinkType: packet.LinkTypeEthernet}
	for _, test := range []struct {
		event    capture.Event
		log      string
		coverage string
	}{
		{capture.Event{Kind: capture.Started, Interface: eth0}, `level=info msg="Capture started on eth0 (by -, link type Ethernet)." event=1101`, "up eth0 capture started"},
		{capture.Event{Kind: capture.Stopped, Interface: eth0, Reason: "unplugged"}, `level=info msg="Capture stopped on eth0: unplugged." event=1102`, "down eth0 capture stopped: unplugged"},
		{capture.Event{Kind: capture.Failed, Interface: eth0, Err: errors.New("no device")}, `level=error msg="Capture failed on eth0: no device. It is tried again." event=1103`, "down eth0 capture failed: no device"},
		{capture.Event{Kind: capture.Failed, Err: errors.New("no list")}, `level=error msg="Capture failed on all interfaces: no list. It is tried again." event=1103`, "down  capture failed: no list"},
		{capture.Event{Kind: capture.Missing, Interface: eth0}, `level=warning msg="The interface eth0 is asked for and not there; it is waited for." event=1104`, "down eth0 asked for and not there"},
		// A few drops are no event, but count.
		{capture.Event{Kind: capture.Dropped, Interface: eth0, Count: enoughDrops - 1}, "", "drops eth0 99 packets dropped"},
		{capture.Event{Kind: capture.Dropped, Interface: packet.Interface{Name: "eth1"}, Count: 1}, "", "drops eth1 1 packets dropped"},
		{capture.Event{Kind: capture.Dropped, Interface: eth0, Count: 2}, `level=warning msg="Packets were dropped on eth0 before they could be stored: 101 since this was last told." event=1105`, "drops eth0 2 packets dropped"},
		{capture.Event{Kind: capture.Dropped, Interface: eth0, Count: 99}, "", "drops eth0 99 packets dropped"},
	} {
		d, out := newRecorded()
		d.drops = drops
		d.captureEvent(test.event)
		if got := strings.TrimSuffix(out.String(), "\n"); got != test.log {
			t.Errorf("%s: the log has %s, want %s", test.event.Kind, got, test.log)
		}
		e := d.coverage.all()[0]
		if got := e.Kind + " " + e.Interface + " " + e.Text; got != test.coverage {
			t.Errorf("%s: the coverage log has %q, want %q", test.event.Kind, got, test.coverage)
		}
	}
}

// Interfaces whose names never come again are not remembered for ever.
func TestDropsOfManyInterfaces(t *testing.T) {
	d, _ := newRecorded()
	for i := range 3 * mostDropping {
		d.captureEvent(capture.Event{Kind: capture.Dropped, Interface: packet.Interface{Name: fmt.Sprintf("veth%d", i)}, Count: 1})
	}
	if len(d.drops) > mostDropping {
		t.Errorf("the drops of %d interfaces are remembered", len(d.drops))
	}
}

// A blind platform has one interface, of which it does not see everything.
type blind struct{}

func (blind) Links() ([]capture.Link, error) {
	return []capture.Link{{Interface: packet.Interface{Name: "Ethernet 2", LinkType: packet.LinkTypeRaw}, Up: true}}, nil
}

func (blind) Watch(context.Context) (<-chan struct{}, error) { return make(chan struct{}), nil }

func (blind) Open(l capture.Link, cfg capture.OpenConfig) (capture.Opened, error) {
	return capture.Opened{Source: capturetest.Silent{Interface: l.Interface}, Backend: "rawsock", Note: "IPv4 only", RingBytes: cfg.RingBytes}, nil
}

// Nobody shall trust a sensor that is half blind.
func TestWhatIsNotSeenIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, out := newRecorded()
		d.loop = capture.NewLoop(blind{}, capturetest.Nowhere{}, capture.Config{RingBytes: 1 << 20}, d.captureEvent)
		ctx, stop := context.WithCancel(t.Context())
		go d.loop.Run(ctx)
		synctest.Wait()
		stop()
		synctest.Wait()
		want := `level=info msg="Capture started on Ethernet 2 (by rawsock, link type raw IP)." event=1101
level=warning msg="Capture on Ethernet 2 by rawsock does not see everything: IPv4 only." event=1108
level=info msg="Capture stopped on Ethernet 2: the service stops." event=1102
`
		if out.String() != want {
			t.Errorf("got\n%swant\n%s", out, want)
		}
	})
}

func TestClientEvents(t *testing.T) {
	alice := ipc.Peer{UID: 1000, User: "alice", PID: 12, Program: "/bin/cat"}
	for _, test := range []struct {
		record dump.Record
		want   string
	}{
		{dump.Record{Peer: alice, Result: dump.Result{Packets: 3, Bytes: 300, Missing: 1}}, `level=info msg="Dump served to alice (uid 1000), pid 12, /bin/cat: 3 packets, 300 bytes, filter -. 1 packets were evicted before they could be read." event=1201`},
		{dump.Record{Peer: alice, Filter: "tcp", Result: dump.Result{Packets: 3, Bytes: 300}, Err: io.ErrClosedPipe}, `level=warning msg="Dump broken off for alice (uid 1000), pid 12, /bin/cat, after 3 packets, 300 bytes, filter tcp: io: read/write on closed pipe." event=1202`},
		{dump.Record{Peer: alice, Filter: "tpc", Err: &dump.BadFilter{Err: errors.New("syntax error")}}, `level=warning msg="Dump refused to alice (uid 1000), pid 12, /bin/cat: the filter tpc can't be used: syntax error." event=1203`},
		{dump.Record{Err: errors.Join(dump.ErrAccept)}, `level=error msg="The dump endpoint failed: accepting a client." event=1008`},
		{dump.Record{Peer: alice, Err: io.ErrClosedPipe}, `level=info msg="Client left before its dump began" client="alice (uid 1000), pid 12, /bin/cat" error="io: read/write on closed pipe"`},
	} {
		d, out := newRecorded()
		d.served(test.record)
		if got := strings.TrimSuffix(out.String(), "\n"); got != test.want {
			t.Errorf("got\n%s\nwant\n%s", got, test.want)
		}
	}
	d, out := newRecorded()
	d.refused(alice)
	if got := out.String(); !strings.Contains(got, "Access refused to alice (uid 1000), pid 12, /bin/cat.") {
		t.Errorf("a client that may not connect: %s", got)
	}
}

// A place where settings stand.
type place struct {
	origin  config.Origin
	entries []config.Entry
}

func (p place) Origin() config.Origin         { return p.origin }
func (p place) Location() string              { return "a place" }
func (p place) Read() ([]config.Entry, error) { return p.entries, nil }

func TestReportStart(t *testing.T) {
	file := place{config.File, []config.Entry{{Key: "bias", Value: int64(3)}, {Key: "ram-size", Value: "16MiB"}}}
	policy := place{config.Policy, []config.Entry{{Key: "exclude", Value: []any{"wan0", "Ethernet, 2"}}, {Key: "promiscuous", Value: false}}}
	for _, test := range []struct {
		sources []config.Source
		want    []string
	}{
		{nil, []string{
			"Settings other than the defaults: none.\" event=1001",
		}},
		{[]config.Source{file, policy}, []string{
			"Settings other than the defaults: ram-size = 16MiB (file); " +
				"exclude = wan0 \\\"Ethernet, 2\\\" (policy); promiscuous = false (policy); bias = 3 (file).\" event=1001",
			"A policy decides these settings: exclude = wan0 \\\"Ethernet, 2\\\"; promiscuous = false.\" event=1303",
		}},
	} {
		d, out := newRecorded()
		d.o.Loader = &config.Loader{Sources: test.sources, TotalRAM: 8 << 30}
		d.inForce.Store(d.o.Loader.Load(nil))
		d.reportStart()
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != len(test.want) {
			t.Fatalf("the log has\n%s", out)
		}
		for i, want := range test.want {
			if !strings.HasSuffix(lines[i], want) {
				t.Errorf("got\n%s\nwant\n%s", lines[i], want)
			}
		}
	}
}

// What goes wrong inside of net/http is an event, too.
func TestRequestErrors(t *testing.T) {
	d, out := newRecorded()
	server := http.Server{ErrorLog: stdlog.New(requestErrors{d.log}, "", 0)}
	server.ErrorLog.Printf("http: panic serving: %s\nstack", "a bug")
	if got := out.String(); !strings.Contains(got, `A request at the control endpoint failed: http: panic serving: a bug\nstack" event=1015`) {
		t.Errorf("got %s", got)
	}
}
