package pcctl

import (
	"fmt"

	"github.com/packetcache/packetcache/internal/seal"
)

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
