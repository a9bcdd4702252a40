package retention

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/packetcache/packetcache/internal/config"
)

// table collects rows for Markdown, which also reads well in a terminal.
type table struct{ rows [][]string }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// write pads the cells, the first column to the right and the others to the
// left. Widths are counted in runes.
func (t *table) write(w io.Writer) error {
	width := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			width[i] = max(width[i], len([]rune(cell)), 4)
		}
	}
	var b strings.Builder
	for n, row := range t.rows {
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-len([]rune(cell)))
			if i == 0 {
				b.WriteString("| " + cell + pad + " |")
			} else {
				b.WriteString(" " + pad + cell + " |")
			}
		}
		b.WriteByte('\n')
		if n == 0 {
			for i := range row {
				if i == 0 {
					b.WriteString("| " + strings.Repeat("-", width[0]) + " |")
				} else {
					b.WriteString(" " + strings.Repeat("-", width[i]-1) + ": |")
				}
			}
			b.WriteByte('\n')
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Title says what was measured.
func (s *Study) Title() string {
	return fmt.Sprintf("%s: %s of %d packets and %d sessions in %s, through %s",
		s.Trace, config.FormatBytes(s.Bytes), s.Packets, s.Sessions, Age(s.Duration), config.FormatBytes(uint64(s.Budget)))
}

// WriteTable compares the variants.
func (s *Study) WriteTable(w io.Writer) error {
	var t table
	line := func(name string, cell func(r *Result) string) {
		row := []string{name}
		for i := range s.Results {
			row = append(row, cell(&s.Results[i]))
		}
		t.row(row...)
	}
	line("", func(r *Result) string { return r.Variant })
	for i, head := range Heads {
		line("sessions of which is there: "+head.String(), func(r *Result) string { return percent(r.Sessions[i].Percent()) })
	}
	for i, head := range Heads {
		line("the same of answered ones: "+head.String(), func(r *Result) string { return percent(r.Answered[i].Percent()) })
	}
	line("of truncated ones an exact beginning is there", func(r *Result) string {
		if r.Truncated == 0 {
			return "none"
		}
		return percent(100 * float64(r.Prefixes) / float64(r.Truncated))
	})
	for i, head := range Reaches {
		if inTables(head) {
			line("complete for: "+head.String(), func(r *Result) string { return r.Complete[i].String() })
		}
	}
	for i, head := range Reaches {
		if inTables(head) {
			line("as status counts it: "+head.String(), func(r *Result) string { return r.Promised[i].String() })
		}
	}
	line("bytes held per byte of memory", func(r *Result) string { return fmt.Sprintf("%.2f", float64(r.Bytes)/float64(s.Budget)) })
	line("CPU, of one core at 100 Mbit/s", func(r *Result) string {
		if r.CPU == 0 {
			return "-"
		}
		return percent(100 * r.CPU.Seconds() / (float64(s.Bytes) * 8 / 100e6))
	})
	return t.write(w)
}

// inTables says of which heads tables tell how far back they are complete.
func inTables(head Head) bool {
	return slices.Contains(Heads[:], head) || head == 64<<10 || head == 1<<20
}

// WriteAges compares the variants by the age of the sessions.
func (s *Study) WriteAges(w io.Writer, head int) error {
	const rows = 10
	var t table
	row := []string{"began"}
	for i := range s.Results {
		row = append(row, s.Results[i].Variant)
	}
	t.row(append(row, "sessions")...)
	for i := range rows {
		row := []string{fmt.Sprintf("%s to %s ago", Age(s.Duration*time.Duration(i)/rows), Age(s.Duration*time.Duration(i+1)/rows))}
		of := 0
		for n := range s.Results {
			var share Share
			for _, span := range s.Results[n].ByAge[head][i*Spans/rows : (i+1)*Spans/rows] {
				share.Have += span.Have
				share.Of += span.Of
			}
			row, of = append(row, percent(share.Percent())), share.Of
		}
		t.row(append(row, fmt.Sprint(of))...)
	}
	return t.write(w)
}

// WriteList has a line for each variant: what a choice among them is made by.
// What is complete is so as status counts it, since the bias is not about others.
func (s *Study) WriteList(w io.Writer) error {
	var t table
	row := []string{""}
	for _, head := range Heads {
		row = append(row, head.String())
	}
	t.row(append(row, "answered: first 4 KiB", "complete for: first 1 KiB", "first 4 KiB", "first 16 KiB", "everything", "bytes per byte")...)
	for i := range s.Results {
		r := &s.Results[i]
		row := []string{r.Variant}
		for _, share := range r.Sessions {
			row = append(row, percent(share.Percent()))
		}
		row = append(row, percent(r.Answered[1].Percent()))
		for n, head := range Reaches {
			if slices.Contains(Heads[:], head) {
				row = append(row, r.Promised[n].String())
			}
		}
		t.row(append(row, fmt.Sprintf("%.2f", float64(r.Bytes)/float64(s.Budget)))...)
	}
	return t.write(w)
}

// Age writes a duration with its two largest units.
func Age(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d >= 24*time.Hour:
		d = d.Round(time.Hour)
		return strings.TrimSuffix(fmt.Sprintf("%d d %d h", d/(24*time.Hour), d%(24*time.Hour)/time.Hour), " 0 h")
	case d >= time.Hour:
		d = d.Round(time.Minute)
		return strings.TrimSuffix(fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute), " 0 min")
	case d >= time.Minute:
		return strings.TrimSuffix(fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second), " 0 s")
	default:
		return fmt.Sprintf("%d s", d/time.Second)
	}
}

func percent(p float64) string { return fmt.Sprintf("%.1f %%", p) }
