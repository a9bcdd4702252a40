package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"strings"
)

// SVG is the figure as a file, which needs nothing else.
func (f *Figure) SVG() []byte {
	d := f.draw()
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" font-family="Helvetica, Arial, sans-serif" role="img">`+"\n",
		d.width, d.height, d.width, d.height)
	fmt.Fprintf(&b, "<title>%s</title>\n", escape(f.Title))
	for i := range d.shapes {
		d.shapes[i].writeSVG(&b)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (s *shape) writeSVG(b *bytes.Buffer) {
	p := s.points[0]
	switch s.kind {
	case aLine:
		var points []string
		for _, p := range s.points {
			points = append(points, fmt.Sprintf("%.1f,%.1f", p.X, p.Y))
		}
		dash := ""
		if len(s.dash) > 0 {
			dash = fmt.Sprintf(` stroke-dasharray="%s"`, strings.Trim(fmt.Sprint(s.dash), "[]"))
		}
		fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="%g" stroke-linejoin="round"%s/>`, strings.Join(points, " "), hex(s.color), s.width, dash)
	case aBox:
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`, p.X, p.Y, s.points[1].X-p.X, s.points[1].Y-p.Y, hex(s.color))
	case aDot:
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="%.1f" fill="%s"/>`, p.X, p.Y, s.width, hex(s.color))
	case aText:
		weight := ""
		if s.bold {
			weight = ` font-weight="bold"`
		}
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" font-size="%g" text-anchor="%s" fill="%s"%s>%s</text>`, p.X, p.Y, s.width, s.anchor, hex(s.color), weight, escape(s.text))
	}
	b.WriteByte('\n')
}

func hex(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder does not fail
	return b.String()
}
