package capture

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// A fakePlatform is a machine whose interfaces the test makes and removes.
type fakePlatform struct {
	mu      sync.Mutex
	links   []Link
	listErr error
	hints   chan struct{}
	openErr map[string]error
	slow    map[string]time.Duration // what Open takes
	opened  []fakeOpen
	sources map[string]*fakeSource // the latest of each name
}

type fakeOpen struct {
	name   string
	config OpenConfig
}

func newFake(links ...Link) *fakePlatform {
	return &fakePlatform{links: links, openErr: map[string]error{}, sources: map[string]*fakeSource{}}
}

func (p *fakePlatform) Links() ([]Link, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Link(nil), p.links...), p.listErr
}

func (p *fakePlatform) Watch(ctx context.Context) (<-chan struct{}, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listErr != nil {
		return nil, p.listErr
	}
	hints := make(chan struct{}, 1)
	p.hints = hints
	return hints, nil
}

func (p *fakePlatform) Open(l Link, cfg OpenConfig) (Opened, error) {
	time.Sleep(p.slow[l.Name])
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened = append(p.opened, fakeOpen{l.Name, cfg})
	if err := p.openErr[l.Name]; err != nil {
		return Opened{}, err
	}
	s := &fakeSource{link: l, fail: make(chan error, 1)}
	p.sources[l.Name] = s
	return Opened{Source: s, Backend: "fake", RingBytes: cfg.RingBytes}, nil
}

// become changes the machine and tells the Loop.
func (p *fakePlatform) become(links ...Link) {
	p.mu.Lock()
	p.links = links
	hints := p.hints
	p.mu.Unlock()
	select {
	case hints <- struct{}{}:
	default:
	}
}

func (p *fakePlatform) source(name string) *fakeSource {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sources[name]
}

func (p *fakePlatform) failOpen(name string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.openErr[name] = err
}

// opens is how often an interface was opened so far.
func (p *fakePlatform) opens(name string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range p.opened {
		if o.name == name {
			n++
		}
	}
	return n
}

// lastOpen is how an interface was opened last.
func (p *fakePlatform) lastOpen(name string) (c OpenConfig) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range p.opened {
		if o.name == name {
			c = o.config
		}
	}
	return c
}

// A fakeSource counts what the test says and fails when the test says.
type fakeSource struct {
	link Link
	fail chan error
	mu   sync.Mutex
	now  Counters
}

func (s *fakeSource) Run(ctx context.Context, sink Sink) error {
	if _, err := sink.Interface(s.link.Interface); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.fail:
		return err
	}
}

func (s *fakeSource) Counters() Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *fakeSource) count(received, dropped uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.Received += received
	s.now.Dropped += dropped
}

// A fakeSink numbers interfaces by name.
type fakeSink struct {
	mu    sync.Mutex
	names []string
	last  map[string]packet.Interface
	no    string
}

var errRefused = errors.New("too many interfaces")

// refuse makes the sink refuse the interface of a name.
func (s *fakeSink) refuse(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.no = name
}

func (s *fakeSink) Interface(i packet.Interface) (packet.InterfaceID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i.Name == s.no {
		return 0, errRefused
	}
	if s.last == nil {
		s.last = map[string]packet.Interface{}
	}
	s.last[i.Name] = i
	for n, name := range s.names {
		if name == i.Name {
			return packet.InterfaceID(n), nil
		}
	}
	s.names = append(s.names, i.Name)
	return packet.InterfaceID(len(s.names) - 1), nil
}

func (*fakeSink) Packets([]packet.Packet) {}

// A bench is a Loop that runs on a fake platform, in a synctest bubble.
type bench struct {
	*fakePlatform
	t      *testing.T
	loop   *Loop
	sink   *fakeSink
	mu     sync.Mutex
	events []Event
}

// inBubble runs a Loop under virtual time until the test function returns.
func inBubble(t *testing.T, p *fakePlatform, cfg Config, test func(b *bench)) {
	t.Helper()
	if cfg.RingBytes == 0 {
		cfg.RingBytes = 64 << 20
	}
	synctest.Test(t, func(t *testing.T) {
		b := &bench{fakePlatform: p, t: t, sink: &fakeSink{}}
		b.loop = NewLoop(p, b.sink, cfg, func(e Event) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.events = append(b.events, e)
		})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { b.loop.Run(ctx); close(ended) }()
		synctest.Wait()
		test(b)
		stop()
		<-ended
		for _, s := range b.loop.Status() {
			if s.RingBytes != 0 {
				t.Errorf("%s is still open after Run returned", s.Interface.Name)
			}
		}
	})
}

// status returns the status of one interface.
func (b *bench) status(name string) Status {
	b.t.Helper()
	for _, s := range b.loop.Status() {
		if s.Interface.Name == name {
			return s
		}
	}
	b.t.Fatalf("no status of %q in %+v", name, b.loop.Status())
	return Status{}
}

// want checks an interface's state.
func (b *bench) want(name string, state State) {
	b.t.Helper()
	if s := b.status(name); s.State != state {
		b.t.Errorf("%s is %s (%s), want %s", name, s.State, s.Reason, state)
	}
}

// take returns the events since it was last called.
func (b *bench) take() []Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	events := b.events
	b.events = nil
	return events
}

// kinds returns the events since last time as "kind name".
func (b *bench) kinds() (list []string) {
	for _, e := range b.take() {
		list = append(list, e.Kind.String()+" "+e.Interface.Name)
	}
	return list
}

// eth makes a link that is up.
func eth(name string, index int, lower ...int) Link {
	return Link{Interface: packet.Interface{Name: name, Index: index, LinkType: packet.LinkTypeEthernet}, Up: true, Lower: lower}
}

var errBroken = errors.New("the driver says no")
