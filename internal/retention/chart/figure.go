// Package chart draws line charts, as SVG and as PNG, with an opaque
// background, so that they can be read on light and on dark pages. A chart is
// drawn once, as lines, boxes and texts, and these are written in both formats.
package chart

import (
	"image/color"
	"math"
)

// A Point is a place in a panel, in the units of its axes. A Y that is not a
// number interrupts the line.
type Point struct{ X, Y float64 }

// A Series is a line.
type Series struct {
	Name   string
	Color  color.RGBA
	Width  float64   // in pixels of the SVG, as all sizes
	Dash   []float64 // lengths of dash and gap; none: solid
	Marks  bool      // a dot at each point
	Points []Point
}

// A Tick is a value that an axis names.
type Tick struct {
	At    float64
	Label string
}

// An Axis reaches from Min to Max.
type Axis struct {
	Label    string
	Min, Max float64
	Ticks    []Tick
}

// A Panel is a chart. All panels of a figure have the same series.
type Panel struct {
	Title  string
	X, Y   Axis
	Series []Series
}

// A Figure is one or more panels under one title and one legend.
type Figure struct {
	Title, Subtitle string
	Columns         int
	// Width and Height of a panel.
	Width, Height float64
	Panels        []Panel
}

// The colours of what is not data.
var (
	paper  = color.RGBA{255, 255, 255, 255}
	ink    = color.RGBA{31, 35, 40, 255}
	pale   = color.RGBA{89, 99, 110, 255}
	grid   = color.RGBA{225, 228, 232, 255}
	margin = 20.0
)

// draw lays the figure out.
func (f *Figure) draw() *drawing {
	columns := max(1, min(f.Columns, len(f.Panels)))
	rows := (len(f.Panels) + columns - 1) / columns
	const head = 84
	d := &drawing{
		width:  2*margin + float64(columns)*f.Width,
		height: head + float64(rows)*f.Height + margin/2,
	}
	d.box(0, 0, d.width, d.height, paper)
	d.text(margin, 30, f.Title, 18, true, start, ink)
	d.text(margin, 50, f.Subtitle, 13, false, start, pale)
	x := margin
	for _, s := range f.Panels[0].Series {
		d.line([]Point{{x, 71}, {x + 30, 71}}, s.Width, s.Dash, s.Color)
		if s.Marks {
			d.dot(x+15, 71, s.Width+1, s.Color)
		}
		d.text(x+37, 75.5, s.Name, 13, false, start, ink)
		x += 37 + textWidth(s.Name, 13, false) + 26
	}
	for i := range f.Panels {
		d.panel(&f.Panels[i], margin+float64(i%columns)*f.Width, head+float64(i/columns)*f.Height, f.Width, f.Height)
	}
	return d
}

// panel draws a panel into a box.
func (d *drawing) panel(p *Panel, x, y, width, height float64) {
	left, right, top, bottom := x+58, x+width-14, y+12, y+height-48
	if p.Title != "" {
		top += 20
		d.text(left, top-11, p.Title, 14, true, start, ink)
	}
	if p.Y.Label != "" {
		top += 20
		d.text(left-44, top-14, p.Y.Label, 12.5, false, start, ink)
	}
	atX := func(v float64) float64 { return left + (right-left)*(v-p.X.Min)/(p.X.Max-p.X.Min) }
	atY := func(v float64) float64 { return bottom - (bottom-top)*(v-p.Y.Min)/(p.Y.Max-p.Y.Min) }
	for _, t := range p.Y.Ticks {
		d.line([]Point{{left, atY(t.At)}, {right, atY(t.At)}}, 1, nil, grid)
		d.text(left-8, atY(t.At)+4.5, t.Label, 12, false, end, pale)
	}
	for _, t := range p.X.Ticks {
		d.line([]Point{{atX(t.At), bottom}, {atX(t.At), bottom + 5}}, 1, nil, pale)
		d.text(atX(t.At), bottom+19, t.Label, 12, false, middle, pale)
	}
	d.line([]Point{{left, bottom}, {right, bottom}}, 1, nil, pale)
	d.text((left+right)/2, bottom+39, p.X.Label, 12.5, false, middle, ink)
	for _, s := range p.Series {
		var run []Point
		for _, point := range append(s.Points, Point{Y: math.NaN()}) {
			if !math.IsNaN(point.Y) {
				run = append(run, Point{atX(point.X), atY(point.Y)})
				continue
			}
			d.line(run, s.Width, s.Dash, s.Color)
			for _, at := range run {
				if s.Marks || len(run) == 1 {
					d.dot(at.X, at.Y, s.Width+1, s.Color)
				}
			}
			run = nil
		}
	}
}
