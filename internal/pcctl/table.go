package pcctl

import (
	"strings"

	"github.com/rivo/uniseg"
)

// A table is columns of text. Columns whose header begins with ">" are aligned
// to the right.
type table struct {
	header []string
	rows   [][]string
}

func (t *table) add(cells ...string) {
	for i := range cells {
		cells[i] = clean(cells[i])
	}
	t.rows = append(t.rows, cells)
}

// lines lays the table out. A column in which every cell is empty is left out.
func (t *table) lines() []string {
	widths := make([]int, len(t.header))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], uniseg.StringWidth(cell))
		}
	}
	header := make([]string, len(t.header))
	right := make([]bool, len(t.header))
	for i, name := range t.header {
		header[i], right[i] = strings.CutPrefix(name, ">")
		if widths[i] > 0 {
			widths[i] = max(widths[i], uniseg.StringWidth(header[i]))
		}
	}
	lines := make([]string, 0, len(t.rows)+1)
	if strings.Join(header, "") != "" {
		lines = append(lines, layOut(header, widths, right))
	}
	for _, row := range t.rows {
		lines = append(lines, layOut(row, widths, right))
	}
	return lines
}

func layOut(cells []string, widths []int, right []bool) string {
	var b strings.Builder
	for i, cell := range cells {
		if widths[i] == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("  ")
		}
		pad := strings.Repeat(" ", widths[i]-uniseg.StringWidth(cell))
		if right[i] {
			cell = pad + cell
		} else {
			cell += pad
		}
		b.WriteString(cell)
	}
	return strings.TrimRight(b.String(), " ")
}
