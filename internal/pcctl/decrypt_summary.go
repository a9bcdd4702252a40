package pcctl

import (
	"fmt"
	"time"

	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/seal"
)

// A decryptReport is what is said after a decryption, as JSON, in the words of those
// of a dump and of verify.
type decryptReport struct {
	// File is absent where the packets went to standard output.
	File    string         `json:"file,omitempty"`
	Format  control.Format `json:"format"`
	Packets uint64         `json:"packets"`
	Bytes   int64          `json:"bytes"`
	First   time.Time      `json:"first,omitzero"`
	Last    time.Time      `json:"last,omitzero"`
	SHA256  string         `json:"sha256"`
	// Host, Saved and Final are of the sealed file: see verifiedContent.
	Host  string    `json:"host"`
	Saved time.Time `json:"saved"`
	Final bool      `json:"final"`
	// LeftOut packets were not written into it for want of time, Evicted ones had to
	// make room meanwhile.
	LeftOut uint64 `json:"left_out_packets"`
	Evicted uint64 `json:"evicted_packets"`
	// Good says that all of the sealed file could be read; else Problem says why not.
	Good    bool   `json:"good"`
	Problem string `json:"problem,omitempty"`
}

func (d *decryption) json(out output, missing error) decryptReport {
	head, end := d.file.Head, d.file.Report.End
	r := decryptReport{
		Format: d.result.Format, Packets: d.result.Packets, Bytes: d.result.Bytes,
		First: d.result.First, Last: d.result.Last, SHA256: d.result.SHA256,
		Host: head.Host, Saved: head.Saved, Final: head.Final,
		LeftOut: end.Left, Evicted: end.Evicted, Good: missing == nil,
	}
	if file, isFile := out.(*fileOutput); isFile {
		r.File = file.path
	}
	if missing != nil {
		r.Problem = missing.Error()
	}
	return r
}

// lines are what is said after a decryption.
func (d *decryption) lines(out output, target string) []string {
	file, isFile := out.(*fileOutput)
	if isFile {
		target = file.path
	}
	line, facts := captureFacts(target, &d.result)
	r := &d.file.Report
	facts.add("sealed", fmt.Sprintf("%s on %s, %s", stamp(r.Head.Saved), r.Head.Host, occasion(r.Head)))
	for _, fact := range endFacts(r) {
		facts.add(fact[0], fact[1])
	}
	if isFile && file.replaced != nil {
		facts.add("replaced", replacedText(target, file.replaced))
	}
	lines := append([]string{line}, indented(facts.lines())...)
	switch chosen := d.filter != nil || d.request.Last != 0 || !d.request.Since.IsZero() || !d.request.Until.IsZero(); {
	case d.result.Packets == 0 && chosen:
		lines = append(lines, "No packet matched. \"pcctl verify\" says what the file holds.")
	case d.result.Packets == 0:
		lines = append(lines, "The file holds no packets.")
	case target != standardOutput && isRegular(target):
		lines = append(lines, "Open it with: wireshark "+quoted(target))
	}
	return lines
}

// endFacts are what a file lacks by its own account.
func endFacts(r *seal.Report) (facts [][2]string) {
	if r.End.Cut {
		facts = append(facts, [2]string{"left out", counted(r.End.Left, "packet") + ", the oldest: the time was over before they were written"})
	}
	if r.End.Evicted > 0 {
		facts = append(facts, [2]string{"evicted", counted(r.End.Evicted, "packet") + " while the file was written"})
	}
	return facts
}
