package adapters

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/capture/capturetest"
)

// A fixed platform has links that never change and never show a packet.
type fixed struct {
	links []capture.Link
	plans map[int]plan
}

func (f *fixed) Links() ([]capture.Link, error) { return f.links, nil }

func (f *fixed) Watch(context.Context) (<-chan struct{}, error) { return make(chan struct{}), nil }

func (f *fixed) Open(l capture.Link, cfg capture.OpenConfig) (capture.Opened, error) {
	p, ok := f.plans[l.Index]
	if !ok {
		return capture.Opened{}, errors.New("no plan")
	}
	return capture.Opened{Source: capturetest.Silent{Interface: l.Interface}, Note: p.note(), RingBytes: cfg.RingBytes}, nil
}

// states runs a loop over the platform and returns what it does with each link.
func (f *fixed) states(t *testing.T, cfg capture.Config) (states map[string]capture.State) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		loop := capture.NewLoop(f, capturetest.Nowhere{}, cfg, nil)
		ctx, stop := context.WithCancel(t.Context())
		go loop.Run(ctx)
		synctest.Wait()
		states = map[string]capture.State{}
		for _, s := range loop.Status() {
			states[s.Interface.Name] = s.State
		}
		stop()
		synctest.Wait()
	})
	return states
}
