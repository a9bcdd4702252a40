package main

import (
	"encoding/binary"
	"unicode/utf16"

	"github.com/packetcache/packetcache/eventlog"
)

// A message is an entry of the message table.
type message struct {
	id   uint32
	text string
}

// messages are the names of the categories, by their numbers, and the texts of
// the events, in the order of IDs.
//
// An ID here is the whole of what ReportEvent gets. Severity, customer and
// facility bits (learn.microsoft.com, "Event Identifiers") stay 0, so that it
// is the number that Event Viewer shows; how bad an event is, ReportEvent is
// told apart from that.
func messages() []message {
	var all []message
	for _, c := range eventlog.Categories() {
		all = append(all, message{uint32(c), c.String()})
	}
	for _, e := range eventlog.Events() {
		all = append(all, message{uint32(e.ID), e.Text})
	}
	return all
}

// messageTable lays out messages in ascending order as a resource of type
// RT_MESSAGETABLE: blocks of consecutive IDs, then the texts
// (learn.microsoft.com, MESSAGE_RESOURCE_DATA, _BLOCK, _ENTRY).
func messageTable(messages []message) []byte {
	type block struct{ low, high, offset uint32 }
	var blocks []block
	var entries []byte
	for _, m := range messages {
		if n := len(blocks); n > 0 && m.id == blocks[n-1].high+1 {
			blocks[n-1].high = m.id
		} else {
			blocks = append(blocks, block{m.id, m.id, uint32(len(entries))})
		}
		entries = append(entries, messageEntry(m.text)...)
	}
	const sizeOfBlock = 12
	texts := uint32(4 + len(blocks)*sizeOfBlock)
	table := binary.LittleEndian.AppendUint32(nil, uint32(len(blocks)))
	for _, b := range blocks {
		table = binary.LittleEndian.AppendUint32(table, b.low)
		table = binary.LittleEndian.AppendUint32(table, b.high)
		table = binary.LittleEndian.AppendUint32(table, texts+b.offset)
	}
	return append(table, entries...)
}

// messageEntry is a text with its length and the sign that it is UTF-16. It
// ends in a line break, as those that the message compiler makes do, and is
// filled up to 4 bytes.
func messageEntry(text string) []byte {
	const unicode = 1 // MESSAGE_RESOURCE_UNICODE
	units := utf16.Encode([]rune(text + "\r\n\x00"))
	if len(units)%2 != 0 {
		units = append(units, 0)
	}
	entry := binary.LittleEndian.AppendUint16(nil, uint16(4+2*len(units)))
	entry = binary.LittleEndian.AppendUint16(entry, unicode)
	for _, u := range units {
		entry = binary.LittleEndian.AppendUint16(entry, u)
	}
	return entry
}
