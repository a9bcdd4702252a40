package pcctl

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"math"
	"strings"
	"time"

	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/filter"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
	"github.com/packetcache/packetcache/internal/seal"
)

const (
	// decryptBuffer is how much is formatted before it is written, in bytes; any
	// packet fits.
	decryptBuffer = 1 << 20
	// decryptLook is how many packets pass between two looks at who waits.
	decryptLook = 4096
)

// A decryption writes the packets of a sealed file.
type decryption struct {
	file         *seal.File
	request      control.DumpRequest
	filter       *filter.Set // nil for all
	since, until int64       // timestamps

	buf    []byte
	sum    hash.Hash
	result control.DumpResult
	// lost is what was there when the file was checked and could not be read then,
	// why says for what reason.
	lost seal.Count
	why  error
}

// write writes the capture file.
func (d *decryption) write(ctx context.Context, out io.Writer, bar *progress) error {
	interfaces := d.file.Interfaces()
	types := make([]packet.LinkType, len(interfaces))
	for i := range interfaces {
		types[i] = interfaces[i].LinkType
	}
	var form pcapio.Form = &pcapio.PCAPForm{}
	overhead := int64(16)
	if d.request.Format == control.PCAPNG {
		form = &pcapio.PCAPNGForm{Section: d.section}
		overhead = 44 // block, flags and padding
	}
	estimate := int64(d.file.Found.Bytes) + int64(d.file.Found.Packets)*overhead
	packets, err := d.file.Packets(d.since, d.until)
	if err != nil {
		return err
	}
	defer packets.Close()
	d.sum, d.result.Format = sha256.New(), d.request.Format
	d.buf = form.Begin(make([]byte, 0, decryptBuffer), interfaces)
	defer func() { clear(d.buf[:cap(d.buf)]) }()
	var list [1]packet.Packet
	for passed := 0; packets.Next(&list[0]); passed++ {
		if passed%decryptLook == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			bar.set(d.result.Bytes+int64(len(d.buf)), estimate)
		}
		p := &list[0]
		if d.filter != nil && !d.filter.Match(types[p.Interface], p.Data, p.OrigLen) {
			continue
		}
		if len(d.buf)+len(p.Data)+pcapio.RecordRoom > cap(d.buf) {
			if err := d.flush(out); err != nil {
				return err
			}
		}
		d.buf, _ = form.Packets(d.buf, list[:], types, math.MaxInt)
		if d.result.Packets == 0 {
			d.result.First = time.Unix(0, p.Time)
		}
		d.result.Last = time.Unix(0, p.Time)
		d.result.Packets++
	}
	d.lost, d.why = packets.Lost()
	d.buf = form.End(d.buf, interfaces)
	err = d.flush(out)
	d.result.SHA256 = hex.EncodeToString(d.sum.Sum(nil))
	return err
}

func (d *decryption) flush(out io.Writer) error {
	n, err := out.Write(d.buf)
	d.result.Bytes += int64(n)
	d.sum.Write(d.buf[:n])
	d.buf = d.buf[:0]
	return err
}

// section is what a pcapng says of itself, in the words of a dump.
func (d *decryption) section() pcapio.Section {
	r := &d.file.Report
	h := r.Head
	var kept strings.Builder
	fmt.Fprintf(&kept, "The cache of %s, sealed %s, %s.\n", h.Host, h.Saved.Format(time.RFC3339), occasion(h))
	kept.WriteString(control.KeptComment)
	if r.Damage != nil {
		fmt.Fprintf(&kept, "The file is damaged: %s.\n", missingText(r, 0))
	} else {
		for _, h := range reaches(r) {
			kept.WriteString(h.Kept("every session", "capture"))
		}
	}
	for _, rule := range h.State.Rules {
		if rule.Factor == 0 {
			fmt.Fprintf(&kept, "sessions of %s: not stored, by a rule\n", rule.Filter)
		} else {
			fmt.Fprintf(&kept, "sessions of %s: kept %v times as long as others, by a rule\n", rule.Filter, rule.Factor)
		}
	}
	coverage := make([]control.CoverageEntry, len(h.Coverage))
	for i, c := range h.Coverage {
		coverage[i] = control.CoverageEntry(c)
	}
	return pcapio.Section{Application: h.Program, Comments: []string{strings.TrimSuffix(kept.String(), "\n"), control.CoverageComment(coverage)}}
}

// occasion says why a file was written.
func occasion(h *seal.Head) string {
	if h.Final {
		return "when the service stopped"
	}
	return "at a checkpoint, so what came later is not in it"
}
