package control

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"net/http"
	"strconv"
	"time"
)

const (
	// headerEstimate says about how many bytes will follow, for a progress bar.
	headerEstimate = "X-PacketCache-Estimated-Bytes"
	// trailerResult holds the DumpResult as JSON, on one line.
	trailerResult = "X-PacketCache-Result"
)

// smallWrite is the size up to which a write is sent on at once, because the
// reader may be waiting for just that (the file's header, the last packets).
// Above it net/http keeps back less than 4 KiB, until more comes or the dump ends;
// of a dump that follows it must not.
const smallWrite = 4 << 10

func (s *Server) dump(w http.ResponseWriter, r *http.Request) {
	req, err := parseDumpRequest(r.URL.RawQuery)
	if err != nil {
		problemOf(err).write(w)
		return
	}
	defer s.dumps.Add(-1)
	if s.dumps.Add(1) > maxDumps {
		(&Problem{
			Status:  http.StatusServiceUnavailable,
			Message: fmt.Sprintf("%d dumps are being sent already, or wait for their turn", maxDumps),
			Hint:    "Try again later.",
		}).write(w)
		return
	}
	if req.Follow {
		end, ok := s.follows.begin(r.URL.Query().Get(paramFollow))
		if !ok {
			badRequest("follow is to be a name of 1 to 64 characters that no other dump has", "").write(w)
			return
		}
		defer s.follows.forget(r.URL.Query().Get(paramFollow))
		req.End = end
	}
	out := &dumpWriter{w: w, ctl: http.NewResponseController(w), atOnce: req.Follow}
	if req.SHA256 {
		out.sum = sha256.New()
	}
	w.Header().Set("Content-Type", contentType(req.Format))
	w.Header().Set("Trailer", trailerResult)
	result, err := s.service.Dump(r.Context(), req, peerFrom(r.Context()), out)
	if err != nil && !out.started {
		w.Header().Del("Trailer")
		problemOf(err).write(w)
		return
	}
	if err == nil && out.err != nil {
		err = out.err
		s.http.ErrorLog.Printf("dump for %s cut off after %d bytes: %v", peerFrom(r.Context()), out.bytes, err)
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	result.Format = req.Format
	result.Bytes = out.bytes
	if out.sum != nil {
		result.SHA256 = hex.EncodeToString(out.sum.Sum(nil))
	}
	line, err := json.Marshal(result)
	if err != nil {
		s.http.ErrorLog.Printf("dump for %s: cannot tell its result: %v", peerFrom(r.Context()), err)
		panic(http.ErrAbortHandler)
	}
	w.Header().Set(trailerResult, string(line))
	_ = out.SetWriteDeadline(time.Now().Add(answerPatience))
}

func contentType(f Format) string {
	if f == PCAPNG {
		return "application/x-pcapng"
	}
	return "application/vnd.tcpdump.pcap"
}

// A dumpWriter passes a capture file to the connection.
type dumpWriter struct {
	w       http.ResponseWriter
	ctl     *http.ResponseController
	sum     hash.Hash
	bytes   int64
	started bool
	atOnce  bool // nothing is kept back
	err     error
}

func (d *dumpWriter) Estimate(bytes int64) {
	if !d.started && bytes >= 0 {
		d.w.Header().Set(headerEstimate, strconv.FormatInt(bytes, 10))
	}
}

func (d *dumpWriter) SetWriteDeadline(t time.Time) error {
	return d.ctl.SetWriteDeadline(t)
}

func (d *dumpWriter) Write(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	d.started = true
	n, err := d.w.Write(p)
	d.bytes += int64(n)
	if d.sum != nil {
		d.sum.Write(p[:n])
	}
	if err == nil && (d.atOnce || len(p) <= smallWrite) {
		err = d.ctl.Flush()
	}
	d.err = err
	return n, err
}
