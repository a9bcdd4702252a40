package report

import (
	"fmt"
	"regexp"

	"github.com/sirupsen/logrus"
	"golang.org/x/sys/windows"

	"github.com/packetcache/packetcache/eventlog"
)

// An eventLog is the Event Log, with us as a source.
type eventLog struct{ handle windows.Handle }

// OpenSystem opens the Event Log.
func OpenSystem() (Sink, error) {
	source, err := windows.UTF16PtrFromString(eventlog.Source)
	if err != nil {
		return nil, fmt.Errorf("event source: %w", err)
	}
	handle, err := windows.RegisterEventSource(nil, source)
	if err != nil {
		return nil, fmt.Errorf("opening the Event Log: %w", err)
	}
	return eventLog{handle}, nil
}

// Event implements Sink.
func (l eventLog) Event(o eventlog.Occurrence) error {
	inserts := o.Shown()
	pointers := make([]*uint16, len(inserts))
	for i, s := range inserts {
		p, err := windows.UTF16PtrFromString(harmless(s))
		if err != nil {
			return fmt.Errorf("event %s: %w", o, err)
		}
		pointers[i] = p
	}
	e := o.Event()
	if err := windows.ReportEvent(l.handle, uint16(e.Severity), uint16(e.Category), uint32(e.ID), 0, uint16(len(pointers)), 0, &pointers[0], nil); err != nil {
		return fmt.Errorf("event %s to the Event Log: %w", o, err)
	}
	return nil
}

// Plain implements Sink: the Event Log is for events.
func (eventLog) Plain(logrus.Level, string) error { return nil }

// insert is what Event Viewer would take for a place to insert something even
// in what was inserted (learn.microsoft.com, "ReportEventW function").
var insert = regexp.MustCompile(`%(\d)`)

// harmless puts a space into what looks like a place to insert something, as
// in the address fe80::1%12.
func harmless(s string) string { return insert.ReplaceAllString(s, "% $1") }
