package adapters

import (
	"fmt"
	"sync"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/capture/npcap"
	"github.com/packetcache/packetcache/internal/capture/rawsock"
)

// A Platform is the Windows side of a capture.Loop.
type Platform struct {
	npcap *npcap.Npcap
	raw   *rawsock.Sockets

	mu    sync.Mutex
	plans map[int]plan // of the last list, by index
}

var _ capture.Platform = (*Platform)(nil)

// New makes a Platform. It looks for Npcap now and whenever the adapters are
// listed.
func New() (*Platform, error) {
	n, err := npcap.New()
	if err != nil {
		return nil, err
	}
	return &Platform{npcap: n, raw: rawsock.New()}, nil
}

// Links implements capture.Platform.
func (p *Platform) Links() ([]capture.Link, error) {
	v := view{os: system()}
	var err error
	if v.adapters, err = bound(); err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	if v.devices, v.noNpcap = p.npcap.Devices(); v.noNpcap == nil {
		v.adapters = append(v.adapters, unbound(v.devices, v.adapters)...)
	}
	v.below = relate(v.adapters, stack())
	links, plans := v.links()
	p.raw.SetOwn(v.ipv4())
	p.mu.Lock()
	p.plans = plans
	p.mu.Unlock()
	return links, nil
}

// Open implements capture.Platform.
func (p *Platform) Open(link capture.Link, cfg capture.OpenConfig) (capture.Opened, error) {
	p.mu.Lock()
	way, ok := p.plans[link.Index]
	p.mu.Unlock()
	if !ok || way.served() != link.Served {
		return capture.Opened{}, fmt.Errorf("capture from %s: %w", link.Name, capture.ErrVanished)
	}
	if way.device != "" {
		s, err := p.npcap.Open(npcap.Config{
			Interface:   link.Interface,
			Device:      way.device,
			RingBytes:   cfg.RingBytes,
			Promiscuous: cfg.Promiscuous,
			Filter:      cfg.Filter,
		})
		if err != nil {
			return capture.Opened{}, err
		}
		return capture.Opened{Source: s, Backend: capture.BackendNpcap, RingBytes: s.RingBytes()}, nil
	}
	s, err := p.raw.Open(rawsock.Config{
		Interface:   link.Interface,
		Addrs:       way.addrs,
		RingBytes:   cfg.RingBytes,
		Promiscuous: cfg.Promiscuous,
		Filter:      cfg.Filter,
	})
	if err != nil {
		return capture.Opened{}, err
	}
	note := way.note()
	if len(s.Left) > 0 {
		note += fmt.Sprintf("; no memory for %d of its addresses", len(s.Left))
	}
	return capture.Opened{Source: s, Backend: capture.BackendRawsock, Note: note, RingBytes: s.RingBytes()}, nil
}
