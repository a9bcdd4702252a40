package scripts

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/ipc"
)

// A dumping service sends pieces.
type dumping struct {
	control.Service
	pieces []int
	fail   error // at the end
	asked  control.DumpRequest
	sent   bytes.Buffer
}

func (d *dumping) Dump(_ context.Context, req control.DumpRequest, _ ipc.Peer, w control.DumpWriter) (control.DumpResult, error) {
	d.asked = req
	w.Estimate(1 << 20)
	for i, n := range d.pieces {
		piece := bytes.Repeat([]byte{byte('a' + i)}, n)
		d.sent.Write(piece)
		if _, err := w.Write(piece); err != nil {
			return control.DumpResult{}, err
		}
	}
	return control.DumpResult{Packets: 7}, d.fail
}

// talking makes an interpreter of the functions of a script that finds the service at its
// pipe.
func talking(t *testing.T, script map[string]*node, service control.Service) *interpreter {
	t.Helper()
	in := &interpreter{functions: script}
	dir := t.TempDir()
	ln, err := ipc.Listen(ipc.Control, ipc.Config{Dir: dir, Refusal: control.Refusal()})
	if err != nil {
		t.Fatal(err)
	}
	server := control.NewServer(service, nil)
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Close() })
	in.dial = func(name string) (net.Conn, error) {
		if name != "PacketCache-control" {
			return nil, fmt.Errorf("no pipe %s", name)
		}
		return ipc.Dial(t.Context(), ipc.Control, dir)
	}
	return in
}

// read runs Read-PacketCacheDump: the data that came, the result as JSON, and the
// failure.
func (in *interpreter) read(t *testing.T, query string) (data []byte, result, failure, message string) {
	t.Helper()
	out, err := in.call("Read-PacketCacheDump", map[string]any{"Query": query})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range out {
		p := v.(*object).properties
		switch {
		case p["data"] != nil:
			if n := len(p["data"].([]byte)); n == 0 || n > 65536 || result != "" || failure != "" {
				t.Errorf("a piece of %d bytes, behind %q and %q", n, result, failure)
			}
			if p["estimate"].(int64) != 1<<20 {
				t.Errorf("about %v bytes are announced", p["estimate"])
			}
			data = append(data, p["data"].([]byte)...)
		case p["result"] != nil:
			result += text(p["result"])
		default:
			failure += text(p["failure"])
			message += text(p["message"])
		}
	}
	return data, result, failure, message
}

// TestReadDumpRuns takes Read-PacketCacheDump step by step, before the service's own
// endpoint: whatever the sizes of what comes, all of it comes, and what the service
// says of it.
func TestReadDumpRuns(t *testing.T) {
	script := functions(parse(t, readers[0])[0])
	for _, pieces := range [][]int{nil, {24}, {24, 4096, 4097, 1, 65535, 65536, 65537, 200_000}, {1 << 20, 1 << 20, 3}} {
		service := &dumping{pieces: pieces}
		data, result, failure, message := talking(t, script, service).read(t, "sha256=1&last=30m")
		var told control.DumpResult
		if err := json.Unmarshal([]byte(result), &told); err != nil || failure != "" {
			t.Errorf("%v: result %q, %v, failure %s: %s", pieces, result, err, failure, message)
			continue
		}
		sum := sha256.Sum256(data)
		if !bytes.Equal(data, service.sent.Bytes()) || told.Bytes != int64(len(data)) || told.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%v: %d of %d bytes came, %+v", pieces, len(data), service.sent.Len(), told)
		}
		if service.asked.Last != 30*time.Minute {
			t.Errorf("asked %+v", service.asked)
		}
	}
}

// TestReadDumpFails: each reason why there is no dump has its own name.
func TestReadDumpFails(t *testing.T) {
	script := functions(parse(t, readers[0])[0])
	timeout := func(string) (net.Conn, error) {
		return nil, &exception{classes: []string{"System.TimeoutException"}}
	}
	status := func(s string) any { return &object{hashtable{"status": s}} }
	for _, test := range []struct {
		name          string
		service       dumping
		change        func(*interpreter)
		query         string
		failure, says string
	}{
		{"a bad filter", dumping{fail: control.BadFilter("unknown word", 3)}, nil, "filter=x", "BadRequest", "unknown word. The language is that of tcpdump"},
		{"a bad parameter", dumping{}, nil, "lasst=30m", "BadRequest", `unknown parameter "lasst"`},
		{"the service fails", dumping{fail: errors.New("no buffers")}, nil, "", "Failed", "no buffers"},
		{"it breaks off", dumping{pieces: []int{24, 100_000}, fail: errors.New("stalled")}, nil, "", "Incomplete", "the service closed the connection"},
		{"not installed", dumping{}, func(in *interpreter) { in.dial = timeout }, "", "NoService", "the service is not installed"},
		{"stopped", dumping{}, func(in *interpreter) { in.dial, in.service = timeout, status("Stopped") }, "", "NoService", "the service is Stopped; start it with"},
		{"another one", dumping{}, func(in *interpreter) { in.dial, in.service = timeout, status("Running") }, "", "NoService", "does not answer"},
		{"no rights", dumping{}, func(in *interpreter) {
			in.dial = func(string) (net.Conn, error) {
				return nil, &exception{classes: []string{"System.UnauthorizedAccessException"}}
			}
		}, "", "NoRights", "denied"},
	} {
		in := talking(t, script, &test.service)
		if test.change != nil {
			test.change(in)
		}
		_, result, failure, message := in.read(t, test.query)
		if failure != test.failure || !strings.Contains(message, test.says) || result != "" {
			t.Errorf("%s: result %q, failure %s: %s", test.name, result, failure, message)
		}
	}
}

// TestQueryRuns: the service understands what the script asks for.
func TestQueryRuns(t *testing.T) {
	script := functions(parse(t, readers[0])[0])
	since := time.Date(2026, 3, 1, 9, 30, 0, 500, time.FixedZone("", 3600))
	for _, test := range []struct {
		wanted hashtable
		want   control.DumpRequest
	}{
		{hashtable{"format": "pcap"}, control.DumpRequest{Format: control.PCAP, SHA256: true}},
		{hashtable{"format": "pcapng", "filter": "port 53 && host a+b%20 or 'x'", "last": "1d12h", "limit": int64(12345)},
			control.DumpRequest{Format: control.PCAPNG, Filter: "port 53 && host a+b%20 or 'x'", Last: 36 * time.Hour, Limit: 12345, SHA256: true}},
		{hashtable{"format": "pcap", "since": since, "until": since.Add(time.Hour)},
			control.DumpRequest{Format: control.PCAP, Since: since.UTC().Truncate(100), Until: since.Add(time.Hour).UTC().Truncate(100), SHA256: true}},
	} {
		service := &dumping{}
		in := talking(t, script, service)
		query, err := in.call("Get-DumpQuery", map[string]any{"Wanted": test.wanted})
		if err != nil || len(query) != 1 {
			t.Fatalf("%v, %v", query, err)
		}
		if _, _, failure, message := in.read(t, text(query[0])); failure != "" || !reflect.DeepEqual(service.asked, test.want) {
			t.Errorf("%v asks %+v, want %+v; %s: %s", query, service.asked, test.want, failure, message)
		}
	}
}
