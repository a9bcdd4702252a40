package daemon

import (
	"errors"
	"fmt"

	"github.com/sirupsen/logrus"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/dump"
	"github.com/packetcache/packetcache/internal/ipc"
)

// captureEvent takes what the capture loop reports to the log and to the
// coverage log.
func (d *Daemon) captureEvent(e capture.Event) {
	entry := control.CoverageEntry{Time: e.Time, Interface: e.Interface.Name}
	log := d.log.WithField("interface", e.Interface.Name)
	switch e.Kind {
	case capture.Started:
		entry.Kind, entry.Text = "up", "capture started"
		log.WithField("linktype", e.Interface.LinkType).Info("Capture started")
	case capture.Stopped:
		entry.Kind, entry.Text = "down", "capture stopped: "+e.Reason
		log.WithField("reason", e.Reason).Info("Capture stopped")
	case capture.Failed:
		entry.Kind, entry.Text = "down", fmt.Sprintf("capture failed: %v", e.Err)
		log.WithError(e.Err).Error("Capture failed; it is tried again")
	case capture.Dropped:
		entry.Kind, entry.Text = "drops", fmt.Sprintf("%d packets dropped", e.Count)
		log.WithField("packets", e.Count).Warn("Packets were dropped before they could be stored")
	case capture.Missing:
		entry.Kind, entry.Text = "down", "asked for and not there"
		log.Warn("The interface is asked for and not there; it is waited for")
	}
	d.coverage.add(entry)
	d.inState(d.loop.Status()) // so that its time is that of the change
}

// refused logs a client that may not connect.
func (d *Daemon) refused(p ipc.Peer) {
	d.log.WithField("client", p.String()).Warn("Access refused")
}

// served logs a client of the dump endpoint.
func (d *Daemon) served(r dump.Record) {
	var bad *dump.BadFilter
	switch {
	case errors.As(r.Err, &bad):
		d.log.WithField("client", r.Peer.String()).WithError(bad.Err).WithField("filter", r.Filter).Warn("Dump refused: the filter can't be used")
	default:
		d.logDump(r.Peer, r.Filter, r.Result, r.Err)
	}
}

func (d *Daemon) logDump(p ipc.Peer, filter string, r dump.Result, err error) {
	log := d.log.WithFields(logrus.Fields{
		"client": p.String(), "packets": r.Packets, "bytes": r.Bytes, "evicted": r.Missing,
	})
	if filter != "" {
		log = log.WithField("filter", filter)
	}
	switch {
	case err != nil && r.Bytes == 0:
		// Who only looks whether something listens does so, too.
		log.WithError(err).Info("Client left before its dump began")
		return
	case err != nil:
		log.WithError(err).Warn("Dump broken off")
		return
	}
	log.Info("Dump served")
}
