package capture

import (
	"context"
	"slices"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// key is what a source for the link would depend on now.
func (l *Loop) key(link Link) key {
	return key{link.Index, link.Hardware, link.Served, l.cfg.Filter.Text, l.cfg.Promiscuous}
}

// reconcile brings what runs in line with what should, given the interfaces
// that exist now.
func (l *Loop) reconcile(ctx context.Context, links []Link, err error) {
	l.listed = time.Now()
	if err != nil {
		l.listFailed(err)
		l.listBy(l.listed.Add(relist))
		return
	}
	l.listErr = ""
	selected := selection{include: l.cfg.Include, exclude: l.cfg.Exclude}
	present := make(map[string]bool, len(links))
	var toStart []*lane
	for _, c := range selected.choose(links) {
		present[c.link.Name] = true
		if a := l.lane(c.link.Name); l.settle(a, c) {
			toStart = append(toStart, a)
		}
	}
	l.absent(present, selected.missing(links))
	l.fit(ctx, toStart)
}

// listFailed tells of an error of the platform's, once.
func (l *Loop) listFailed(err error) {
	if err.Error() != l.listErr {
		l.listErr = err.Error()
		l.events = append(l.events, Event{Time: time.Now(), Kind: Failed, Err: err})
	}
}

// lane returns the lane of a name, new if need be.
func (l *Loop) lane(name string) *lane {
	a := l.lanes[name]
	if a == nil {
		a = &lane{status: Status{Interface: packet.Interface{Name: name}}}
		l.lanes[name] = a
	}
	return a
}

// settle applies a choice to its lane and reports whether a source is to be
// started.
func (l *Loop) settle(a *lane, c choice) (start bool) {
	if a.link.Index != c.link.Index || a.link.Hardware != c.link.Hardware || a.link.Served != c.link.Served {
		a.backoff, a.status.Retry = 0, time.Time{} // another interface: no grudge
	}
	a.link = c.link
	l.describe(a)
	if c.state != StateCapturing {
		l.stop(a, reasonFor(c))
		if a.run == nil {
			a.status.Err, a.status.Retry = nil, time.Time{}
			a.status.CoveredBy = c.coveredBy
			a.status.Backend, a.status.Note = "", ""
			l.set(a, c.state, c.reason)
		}
		return false
	}
	if a.run == nil {
		if wait := a.status.Retry; time.Now().Before(wait) {
			l.listBy(wait)
			return false
		}
		return true
	}
	switch {
	case a.run.stopping:
	case a.run.key != l.key(c.link):
		l.stop(a, "opened anew: "+a.run.key.difference(l.key(c.link)))
	case a.run.opened != nil && a.status.Announced && a.status.State != StateWaiting:
		l.setRunning(a)
	}
	return false
}

// reasonFor says why a choice ends a running source.
func reasonFor(c choice) string {
	if c.state == StateCovered {
		return "covered by " + c.coveredBy[0]
	}
	return c.reason
}

// difference says what of the key changed.
func (k key) difference(now key) string {
	switch {
	case k.index != now.index || k.hardware != now.hardware:
		return "another interface has the name"
	case k.served != now.served:
		return "by " + now.served + " instead of " + k.served
	case k.filter != now.filter:
		return "the filter changed"
	}
	return "the promiscuous mode changed"
}

// describe brings the lane's description up to date. New addresses are
// announced, too, so that they can stand in dumps.
func (l *Loop) describe(a *lane) {
	s, now := &a.status.Interface, a.link
	addrs := !slices.Equal(s.Addrs, now.Addrs)
	s.Index, s.Description, s.OS = now.Index, now.Description, now.OS
	s.MAC, s.Addrs = now.MAC, now.Addrs
	if !a.status.Announced {
		s.LinkType = now.LinkType
	}
	if addrs && a.run != nil && a.status.Announced && !a.run.stopping {
		// It has a number already, so that this cannot fail for lack of one.
		_, _ = l.sink.Interface(*s)
	}
}

// absent settles the lanes of interfaces that do not exist.
func (l *Loop) absent(present map[string]bool, missing []string) {
	for _, name := range missing {
		l.lane(name)
	}
	gone := 0
	for name, a := range l.lanes {
		if present[name] {
			continue
		}
		a.link = Link{}
		l.stop(a, ErrVanished.Error())
		switch {
		case a.run != nil:
		case slices.Contains(missing, name):
			a.status.Err, a.status.Retry = nil, time.Time{}
			if a.status.State != StateWaiting || a.status.Reason != notThere {
				l.set(a, StateWaiting, notThere)
				l.event(a, Event{Kind: Missing, Reason: notThere})
			}
		case a.status.Announced && gone < keepGone:
			gone++
			a.status.Err, a.status.Retry = nil, time.Time{}
			l.set(a, StateGone, ErrVanished.Error())
		default:
			delete(l.lanes, name)
		}
	}
}

const notThere = "asked for by name, and there is no such interface"

// countDrops tells of new drops and gives interfaces that have them more memory.
func (l *Loop) countDrops() {
	for _, a := range l.lanes {
		if l.tellDrops(a) {
			l.grow(a)
		}
	}
	if l.running > 0 {
		l.checkAt = time.Now().Add(checkDrops)
	}
}

// tellDrops queues an event if packets were dropped since the last one.
func (l *Loop) tellDrops(a *lane) bool {
	dropped := a.counters().Dropped
	if dropped == a.told {
		return false
	}
	l.event(a, Event{Kind: Dropped, Count: dropped - a.told})
	a.told = dropped
	return true
}
