package daemon

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sirupsen/logrus"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/dump"
	"github.com/packetcache/packetcache/internal/ipc"
	"github.com/packetcache/packetcache/internal/version"
)

// enoughDrops is how many packets an interface must have lost for an event.
// Fewer stand in the coverage log and count towards the next one.
const enoughDrops = 100

// mostDropping is of how many interfaces that is counted. Those that come and go
// may have a new name each time.
const mostDropping = 1000

// captureEvent takes what the capture loop reports, one thing at a time, to the
// log and to the coverage log.
func (d *Daemon) captureEvent(e capture.Event) {
	name := e.Interface.Name
	entry := control.CoverageEntry{Time: e.Time, Interface: name}
	switch e.Kind {
	case capture.Started:
		entry.Kind, entry.Text = "up", "capture started"
		s := d.captureStatus(name)
		eventlog.CaptureStarted(name, s.Backend, e.Interface.LinkType.String()).Log(d.log)
		if s.Note != "" {
			eventlog.CaptureLimited(name, s.Backend, s.Note).Log(d.log)
		}
	case capture.Stopped:
		entry.Kind, entry.Text = "down", "capture stopped: "+e.Reason
		eventlog.CaptureStopped(name, e.Reason).Log(d.log)
	case capture.Failed:
		entry.Kind, entry.Text = "down", fmt.Sprintf("capture failed: %v", e.Err)
		if name == "" {
			name = "all interfaces" // the list of them can't be had
		}
		eventlog.CaptureFailed(name, e.Err).Log(d.log)
	case capture.Dropped:
		entry.Kind, entry.Text = "drops", fmt.Sprintf("%d packets dropped", e.Count)
		if len(d.drops) >= mostDropping {
			clear(d.drops)
		}
		if d.drops[name] += e.Count; d.drops[name] >= enoughDrops {
			eventlog.PacketsDropped(name, d.drops[name]).Log(d.log)
			delete(d.drops, name)
		}
	case capture.Missing:
		entry.Kind, entry.Text = "down", "asked for and not there"
		eventlog.InterfaceMissing(name).Log(d.log)
	}
	d.coverage.add(entry)
	d.inState(d.loop.Status()) // so that its time is that of the change
}

// captureStatus is what the loop knows of an interface.
func (d *Daemon) captureStatus(name string) capture.Status {
	for _, s := range d.loop.Status() {
		if s.Interface.Name == name {
			return s
		}
	}
	return capture.Status{}
}

// refused logs a client that may not connect.
func (d *Daemon) refused(p ipc.Peer) {
	eventlog.AccessRefused(p.Account(), p.Process()).Log(d.log)
}

// served logs a client of the dump endpoint.
func (d *Daemon) served(r dump.Record) {
	var bad *dump.BadFilter
	switch {
	case errors.As(r.Err, &bad):
		eventlog.DumpRefused(r.Peer.Account(), r.Peer.Process(), r.Filter, bad.Err).Log(d.log)
	case errors.Is(r.Err, dump.ErrAccept):
		eventlog.EndpointFailed(ipc.Dump.String(), r.Err).Log(d.log)
	default:
		d.logDump(r.Peer, r.Filter, r.Result, r.Err)
	}
}

func (d *Daemon) logDump(p ipc.Peer, filter string, r dump.Result, err error) {
	user, program, bytes := p.Account(), p.Process(), uint64(r.Bytes)
	switch {
	case err != nil && r.Bytes == 0:
		// Who only looks whether something listens does so, too.
		d.log.WithField("client", p.String()).WithError(err).Info("Client left before its dump began")
	case err != nil:
		eventlog.DumpBrokenOff(user, program, r.Packets, bytes, filter, err).Log(d.log)
	default:
		eventlog.DumpServed(user, program, r.Packets, bytes, filter, r.Missing).Log(d.log)
	}
}

// requestErrors takes what net/http has to say, which is mostly about panics.
type requestErrors struct{ log *logrus.Logger }

// Write implements io.Writer.
func (e requestErrors) Write(p []byte) (int, error) {
	eventlog.RequestFailed(strings.TrimSpace(string(p))).Log(e.log)
	return len(p), nil
}

// reportStart tells that the service has started, and with what settings.
func (d *Daemon) reportStart() {
	loaded := d.inForce.Load()
	var changed, policy []string
	for _, v := range loaded.Values() {
		if v.Origin == config.Default {
			continue
		}
		text := v.Field.Key + " = " + v.Words.String()
		changed = append(changed, fmt.Sprintf("%s (%s)", text, v.Origin))
		if v.Origin == config.Policy {
			policy = append(policy, text)
		}
	}
	if len(changed) == 0 {
		changed = []string{"none"}
	}
	eventlog.ServiceStarted(version.String(), d.budget(), strings.Join(changed, "; ")).Log(d.log)
	if len(policy) > 0 {
		eventlog.PolicyInForce(strings.Join(policy, "; ")).Log(d.log)
	}
}
