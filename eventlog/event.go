// Package eventlog is the catalogue of the events that PacketCache reports, to
// the Event Log on Windows and to the journal on Linux.
//
// The table in catalogue.go is the one place that describes them. From it come
// the functions that code reports with (events.go), the message table that
// Event Viewer reads (PacketCacheEvents.dll), a view for Event Viewer
// (PacketCache.xml) and docs/events.md. After a change run make generate.
//
// To report an event, call its function and log what it returns:
//
//	eventlog.CaptureFailed(name, err).Log(log)
package eventlog

import (
	"fmt"
	"slices"
)

//go:generate go test -run TestGenerated ./reference -update
//go:generate go test -run TestIDsForEver . -update

// Source is the name that events stand under in the Event Log.
const Source = "PacketCache"

// DLL is the name of the file, beside the programs, that holds the texts for
// Event Viewer.
const DLL = "PacketCacheEvents.dll"

// An Event is a kind of event that is reported.
type Event struct {
	// ID is the number that Event Viewer shows, and in the journal the field
	// PACKETCACHE_EVENT. It never changes its meaning and is never used again.
	ID uint16 `json:"id"`
	// Name is the symbolic name, and that of the function to report it with.
	Name     string   `json:"name"`
	Severity Severity `json:"severity"`
	Category Category `json:"category"`
	// Text is what happened, with %1 for the first insert and so on, in the
	// syntax of message tables (FormatMessage on learn.microsoft.com).
	Text string `json:"text"`
	// Inserts say what stands for %1, %2, ... The first one is the subject:
	// events of one kind about one subject are limited in number.
	Inserts []Insert `json:"inserts"`
	// Do is what the operator should do.
	Do string `json:"do"`
}

// A Severity is how bad an event is.
type Severity uint8

// The severities, with the values that ReportEvent has for them
// (learn.microsoft.com, "Event Types").
const (
	Error       Severity = 1
	Warning     Severity = 2
	Information Severity = 4

	// Severities are all of them, as TypesSupported wants them.
	Severities = Error | Warning | Information
)

// String names the severity as Event Viewer does.
func (s Severity) String() string {
	switch s {
	case Error:
		return "Error"
	case Warning:
		return "Warning"
	case Information:
		return "Information"
	}
	return fmt.Sprintf("severity %d", uint8(s))
}

// MarshalText makes the severity its name in JSON.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A Category is a part of the service; in Event Viewer it is the task category.
// The categories are numbered from 1 without a gap, as CategoryCount wants it.
type Category uint16

// The categories. Each has the events of a hundred IDs.
const (
	Service     Category = iota + 1 // 1000 to 1099
	Capture                         // 1100 to 1199
	Access                          // 1200 to 1299
	Settings                        // 1300 to 1399
	Cache                           // 1400 to 1499
	Persistence                     // 1500 to 1599

	categories = iota
)

// String names the category as Event Viewer shows it.
func (c Category) String() string {
	switch c {
	case Service:
		return "Service"
	case Capture:
		return "Capture"
	case Access:
		return "Access"
	case Settings:
		return "Settings"
	case Cache:
		return "Cache"
	case Persistence:
		return "Persistence"
	}
	return fmt.Sprintf("category %d", uint16(c))
}

// MarshalText makes the category its name in JSON.
func (c Category) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Categories are all categories in the order of their numbers.
func Categories() []Category {
	var all []Category
	for c := Category(1); c <= categories; c++ {
		all = append(all, c)
	}
	return all
}

// An Insert is what stands in the text of an event for %1, %2, ...
type Insert struct {
	// Name is a lower-case word; in the journal the field
	// PACKETCACHE_<NAME> holds the value.
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
}

// A Kind is what an insert holds.
type Kind uint8

// The kinds of inserts.
const (
	Text     Kind = iota // a string; "-" stands for an empty one
	Failure              // an error
	Count                // a number
	Bytes                // a number of bytes
	Duration             // a time span such as 1h2m3s
	Lines                // a string of several lines that is our own, at most 30,000 bytes
)

// String names the kind in a word.
func (k Kind) String() string {
	switch k {
	case Text:
		return "text"
	case Failure:
		return "error"
	case Count:
		return "number"
	case Bytes:
		return "bytes"
	case Duration:
		return "duration"
	case Lines:
		return "lines"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// MarshalText makes the kind its name in JSON.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Events are all events in the order of their IDs.
func Events() []Event { return slices.Clone(catalogue) }

// find is the event of an ID that is in the catalogue.
func find(id uint16) Event {
	i, _ := slices.BinarySearchFunc(catalogue, id, func(e Event, id uint16) int { return int(e.ID) - int(id) })
	return catalogue[i]
}
