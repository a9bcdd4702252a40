package control

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// A Format is a capture file format.
type Format string

// The formats of a dump.
const (
	// PCAP is the classic format: one link type, microseconds.
	PCAP Format = "pcap"
	// PCAPNG keeps every interface with its name, link type, nanoseconds and
	// drop counts.
	PCAPNG Format = "pcapng"
)

// maxFilter is the longest filter expression taken, in bytes.
const maxFilter = 8 << 10

// A DumpRequest says which packets are wanted, and how. Its zero value asks for
// everything as pcap.
type DumpRequest struct {
	// Format is PCAP unless given.
	Format Format
	// Since and Until bound the packet times, both inclusive; zero for none.
	Since, Until time.Time
	// Last bounds the age of the packets, 0 for none; Since is then zero.
	Last time.Duration
	// Filter is an expression of pcap-filter(7); empty for all packets.
	Filter string
	// Exclude is such an expression, too: packets that match it are left out. Empty
	// for none.
	Exclude string
	// Limit is the most bytes that the file may have, 0 for any. The packets
	// that come first are kept.
	Limit int64
	// SHA256 asks the service to name the hash of what it sent, which costs it
	// about a second of CPU for each GiB.
	SHA256 bool
	// Follow asks for what comes, too: the dump goes on until End is closed or
	// Until has passed, and then ends in good order.
	Follow bool
	// End is the client's of a Client, and the server's of a Service. It is nil
	// unless Follow is set.
	End <-chan struct{}
}

// A DumpResult says what was sent. It ends every dump that is whole.
type DumpResult struct {
	Format Format `json:"format"`
	// Packets were sent, in Bytes of file.
	Packets uint64 `json:"packets"`
	Bytes   int64  `json:"bytes"`
	// First and Last are packet times, absent without packets.
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
	// EvictedPackets made room for new ones before the reader came to them, for a
	// slow one that follows also in the meantime.
	EvictedPackets uint64 `json:"evicted_packets"`
	// Restoring means that what an earlier run had left was still being read back when
	// the dump began, so that there is more now.
	Restoring bool `json:"restoring,omitempty"`
	// LimitReached means that there was more than the limit allowed.
	LimitReached bool `json:"limit_reached"`
	// Next is the time of the first packet that did not fit: a dump since then goes
	// on where this one ended.
	Next time.Time `json:"next,omitzero"`
	// SHA256 of the bytes sent, in lower-case hex, when it was asked for.
	SHA256 string `json:"sha256,omitempty"`
}

// The names of the query parameters.
const (
	paramFormat  = "format"
	paramSince   = "since"
	paramUntil   = "until"
	paramLast    = "last"
	paramFilter  = "filter"
	paramLimit   = "limit"
	paramSHA256  = "sha256"
	paramExclude = "exclude"
	paramFollow  = "follow"
)

var dumpParams = []string{paramFormat, paramSince, paramUntil, paramLast, paramFilter, paramLimit, paramSHA256, paramExclude, paramFollow}

// query writes the request as a query string.
func (r DumpRequest) query() url.Values {
	q := url.Values{}
	set := func(name, value string, given bool) {
		if given {
			q.Set(name, value)
		}
	}
	set(paramFormat, string(r.Format), r.Format != "")
	set(paramSince, r.Since.Format(time.RFC3339Nano), !r.Since.IsZero())
	set(paramUntil, r.Until.Format(time.RFC3339Nano), !r.Until.IsZero())
	set(paramLast, r.Last.String(), r.Last != 0)
	set(paramFilter, r.Filter, r.Filter != "")
	set(paramLimit, strconv.FormatInt(r.Limit, 10), r.Limit != 0)
	set(paramSHA256, "1", r.SHA256)
	set(paramExclude, r.Exclude, r.Exclude != "")
	return q
}

// parseDumpRequest reads a query string. A parameter that is not known is an
// error: with a misspelt filter the answer would be everything. The error is a
// *Problem.
func parseDumpRequest(rawQuery string) (DumpRequest, error) {
	q, err := url.ParseQuery(rawQuery)
	if err != nil {
		return DumpRequest{}, badRequest("the query cannot be read: "+err.Error(), "Encode special characters as %XX.")
	}
	for name, values := range q {
		if !slices.Contains(dumpParams, name) {
			return DumpRequest{}, badRequest(fmt.Sprintf("unknown parameter %q", name), fmt.Sprintf("The parameters are %v.", dumpParams))
		}
		if len(values) != 1 {
			return DumpRequest{}, badRequest(fmt.Sprintf("parameter %s is given %d times", name, len(values)), "")
		}
	}
	r := DumpRequest{Format: PCAP, Filter: q.Get(paramFilter), Exclude: q.Get(paramExclude), Follow: q.Has(paramFollow)}
	if q.Has(paramFormat) {
		r.Format = Format(q.Get(paramFormat))
	}
	if r.Format != PCAP && r.Format != PCAPNG {
		return r, badRequest(fmt.Sprintf("unknown format %q", r.Format), "The formats are pcap and pcapng.")
	}
	if most := max(len(r.Filter), len(r.Exclude)); most > maxFilter {
		return r, badRequest(fmt.Sprintf("the filter has %d bytes, %d are taken", most, maxFilter), "")
	}
	if err := parseTimes(q, &r); err != nil {
		return r, err
	}
	if q.Has(paramLimit) {
		r.Limit, err = strconv.ParseInt(q.Get(paramLimit), 10, 64)
		if err != nil || r.Limit <= 0 {
			return r, badRequest(fmt.Sprintf("limit %q is not a number of bytes above 0", q.Get(paramLimit)), "")
		}
	}
	if q.Has(paramSHA256) {
		r.SHA256, err = strconv.ParseBool(q.Get(paramSHA256))
		if err != nil {
			return r, badRequest(fmt.Sprintf("sha256=%q is neither 1 nor 0", q.Get(paramSHA256)), "")
		}
	}
	return r, nil
}

func parseTimes(q url.Values, r *DumpRequest) error {
	for name, to := range map[string]*time.Time{paramSince: &r.Since, paramUntil: &r.Until} {
		if !q.Has(name) {
			continue
		}
		t, err := time.Parse(time.RFC3339, q.Get(name))
		if err != nil {
			return badRequest(fmt.Sprintf("%s %q is not a time", name, q.Get(name)), "Times are RFC 3339 with a zone, such as 2026-03-01T09:30:00+01:00 (write + as %2B).")
		}
		*to = t
	}
	if q.Has(paramLast) {
		d, err := ParseAge(q.Get(paramLast))
		if err != nil {
			return badRequest("last: "+err.Error(), "")
		}
		r.Last = d
	}
	if r.Last != 0 && !r.Since.IsZero() {
		return badRequest("since and last exclude each other", "")
	}
	if !r.Since.IsZero() && !r.Until.IsZero() && r.Until.Before(r.Since) {
		return badRequest("until is before since", "")
	}
	return nil
}
