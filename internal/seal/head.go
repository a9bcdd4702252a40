package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// Bounds of the lists in a head, so that a short text cannot become much memory.
const (
	maxTables     = 1 << 12
	maxInterfaces = 1 << 15 // in all tables together
	maxAddresses  = 32      // of an interface
	maxRules      = 1 << 8
	maxLogs       = 1 << 10
	maxCoverage   = 1 << 12
	// maxText is the longest text of an interface, in bytes. Descriptions come
	// from capture files, too.
	maxText = 4 << 10
)

// headJSON is how a head stands in the file. The lists are read apart, one element
// after the other.
type headJSON struct {
	Program  string          `json:"program"`
	Host     string          `json:"host"`
	Saved    time.Time       `json:"saved"`
	Final    bool            `json:"final"`
	Age      time.Duration   `json:"age_ns"`
	Logs     json.RawMessage `json:"logs"`
	Rules    json.RawMessage `json:"rules"`
	Tables   json.RawMessage `json:"tables"`
	Coverage json.RawMessage `json:"coverage"`
}

// interfaceJSON is how an interface does.
type interfaceJSON struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Index       int             `json:"index,omitempty"`
	LinkType    packet.LinkType `json:"link_type"`
	MAC         string          `json:"mac,omitempty"`
	Addresses   json.RawMessage `json:"addresses,omitempty"`
	SnapLen     uint32          `json:"snap_len_bytes,omitempty"`
	Filter      string          `json:"filter,omitempty"`
	OS          string          `json:"os,omitempty"`
}

// encodeHead writes a head as JSON.
func encodeHead(h *Head) ([]byte, error) {
	tables := make([][]interfaceJSON, len(h.State.Tables))
	total := 0
	for i, t := range h.State.Tables {
		total += len(t)
		tables[i] = make([]interfaceJSON, len(t))
		for n := range t {
			tables[i][n] = describe(&t[n])
		}
	}
	for _, list := range []struct {
		what       string
		have, most int
	}{
		{"interface tables", len(tables), maxTables},
		{"interfaces", total, maxInterfaces},
		{"logs", len(h.State.Logs), maxLogs},
		{"rules", len(h.State.Rules), maxRules},
		{"lines of coverage", len(h.Coverage), maxCoverage},
	} {
		if list.have > list.most {
			return nil, fmt.Errorf("a sealed cache holds at most %d %s, not %d", list.most, list.what, list.have)
		}
	}
	w := headJSON{Program: h.Program, Host: h.Host, Saved: h.Saved, Final: h.Final, Age: h.State.Age}
	for to, list := range map[*json.RawMessage]any{
		&w.Logs: h.State.Logs, &w.Rules: h.State.Rules, &w.Tables: tables, &w.Coverage: h.Coverage,
	} {
		raw, err := json.Marshal(list)
		if err != nil {
			return nil, err
		}
		*to = raw
	}
	raw, err := json.Marshal(w)
	if err == nil && len(raw) > maxHead {
		err = fmt.Errorf("what is known besides the packets takes %d bytes, the most is %d", len(raw), maxHead)
	}
	return raw, err
}

// describe is an interface as it stands in the file.
func describe(i *packet.Interface) interfaceJSON {
	w := interfaceJSON{
		Name: cut(i.Name), Description: cut(i.Description), Index: i.Index, LinkType: i.LinkType,
		SnapLen: i.SnapLen, OS: cut(i.OS),
	}
	if len(i.Filter) <= maxText { // half of one would mislead
		w.Filter = i.Filter
	}
	if len(i.MAC) == 6 || len(i.MAC) == 8 {
		w.MAC = net.HardwareAddr(i.MAC).String()
	}
	var addresses []string
	for _, a := range i.Addrs[:min(len(i.Addrs), maxAddresses)] {
		if a.IsValid() {
			addresses = append(addresses, a.String())
		}
	}
	if len(addresses) > 0 {
		w.Addresses = json.RawMessage(`["` + strings.Join(addresses, `","`) + `"]`)
	}
	return w
}

// cut shortens a text to maxText.
func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for end > maxText-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// decodeHead reads a head.
func decodeHead(raw []byte) (*Head, error) {
	var w headJSON
	err := json.Unmarshal(raw, &w)
	if err != nil {
		return nil, err
	}
	h := &Head{Program: w.Program, Host: w.Host, Saved: w.Saved, Final: w.Final, State: record.State{Age: w.Age}}
	if h.State.Logs, err = elements[record.Log](w.Logs, maxLogs); err != nil {
		return nil, fmt.Errorf("logs: %w", err)
	}
	if h.State.Rules, err = elements[record.Rule](w.Rules, maxRules); err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	if h.Coverage, err = elements[Coverage](w.Coverage, maxCoverage); err != nil {
		return nil, fmt.Errorf("coverage: %w", err)
	}
	tables, err := elements[json.RawMessage](w.Tables, maxTables)
	if err != nil {
		return nil, fmt.Errorf("tables: %w", err)
	}
	left := maxInterfaces
	for _, raw := range tables {
		table, err := decodeTable(raw, left)
		if err != nil {
			return nil, fmt.Errorf("tables: %w", err)
		}
		left -= len(table)
		h.State.Tables = append(h.State.Tables, table)
	}
	return h, nil
}

// decodeTable reads an interface table.
func decodeTable(raw []byte, most int) ([]packet.Interface, error) {
	list, err := elements[interfaceJSON](raw, most)
	if err != nil {
		return nil, err
	}
	table := make([]packet.Interface, len(list))
	for i, w := range list {
		table[i] = packet.Interface{
			Name: w.Name, Description: w.Description, Index: w.Index, LinkType: w.LinkType,
			SnapLen: w.SnapLen, Filter: w.Filter, OS: w.OS,
		}
		if w.MAC != "" {
			if table[i].MAC, err = net.ParseMAC(w.MAC); err != nil {
				return nil, err
			}
		}
		if table[i].Addrs, err = elements[netip.Prefix](w.Addresses, maxAddresses); err != nil {
			return nil, err
		}
	}
	return table, nil
}

// elements reads a list of at most so many elements. An absent one is empty.
func elements[T any](raw []byte, most int) ([]T, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	begin, err := d.Token()
	if err != nil || begin == nil {
		return nil, err
	}
	if begin != json.Delim('[') {
		return nil, errors.New("not a list")
	}
	var list []T
	for d.More() {
		if len(list) == most {
			return nil, fmt.Errorf("more than %d", most)
		}
		var element T
		if err := d.Decode(&element); err != nil {
			return nil, err
		}
		list = append(list, element)
	}
	return list, nil
}
