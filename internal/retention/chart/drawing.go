package chart

import "image/color"

// An anchor is which end of a text stands at its place.
type anchor string

const (
	start  anchor = "start"
	middle anchor = "middle"
	end    anchor = "end"
)

// A shape is a line, a box, a dot, or a text.
type shape struct {
	points []Point // of a line; two opposite corners of a box; else the place
	width  float64 // of a line; radius of a dot; size of a text
	dash   []float64
	color  color.RGBA
	kind   kind
	text   string
	bold   bool
	anchor anchor
}

type kind int

const (
	aLine kind = iota
	aBox
	aDot
	aText
)

// A drawing is shapes, the first one at the bottom.
type drawing struct {
	width, height float64
	shapes        []shape
}

func (d *drawing) line(points []Point, width float64, dash []float64, c color.RGBA) {
	if len(points) > 1 {
		d.shapes = append(d.shapes, shape{kind: aLine, points: points, width: width, dash: dash, color: c})
	}
}

func (d *drawing) box(x, y, width, height float64, c color.RGBA) {
	d.shapes = append(d.shapes, shape{kind: aBox, points: []Point{{x, y}, {x + width, y + height}}, color: c})
}

func (d *drawing) dot(x, y, radius float64, c color.RGBA) {
	d.shapes = append(d.shapes, shape{kind: aDot, points: []Point{{x, y}}, width: radius, color: c})
}

func (d *drawing) text(x, y float64, text string, size float64, bold bool, at anchor, c color.RGBA) {
	d.shapes = append(d.shapes, shape{kind: aText, points: []Point{{x, y}}, text: text, width: size, bold: bold, anchor: at, color: c})
}
