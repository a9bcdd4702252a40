package pcctl

import (
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf16"
)

// A windowsEvent is an event as wevtutil prints it (learn.microsoft.com, "Event
// Schema").
type windowsEvent struct {
	ID   uint32 `xml:"System>EventID"`
	Time struct {
		Created time.Time `xml:"SystemTime,attr"`
	} `xml:"System>TimeCreated"`
	Data []string `xml:"EventData>Data"`
}

// readEventLog reads one event after the other, in UTF-16.
func readEventLog(text []byte) (list []happened, err error) {
	units := make([]uint16, len(text)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(text[2*i:])
	}
	events := strings.TrimPrefix(string(utf16.Decode(units)), "\uFEFF")
	for decoder := xml.NewDecoder(strings.NewReader(events)); ; {
		var e windowsEvent
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("%w: %w", errNoLog, err)
		}
		list = append(list, recorded(e.Time.Created, uint16(e.ID), e.Data, ""))
	}
}
