package chart

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"math"
	"slices"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// scale is how many pixels of the PNG are one of the SVG.
const scale = 2

// PNG is the figure as a file, at twice the resolution of a plain screen.
func (f *Figure) PNG() ([]byte, error) {
	d := f.draw()
	img := image.NewRGBA(image.Rect(0, 0, int(d.width*scale), int(d.height*scale)))
	for i := range d.shapes {
		d.shapes[i].paint(img)
	}
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&b, reduce(img)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// reduce makes a picture of at most 256 colours, which compresses far better:
// the most frequent ones, and for the others, at edges, the nearest of these.
func reduce(img *image.RGBA) *image.Paletted {
	count := map[color.RGBA]int{}
	for i := 0; i < len(img.Pix); i += 4 {
		count[color.RGBA{img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3]}]++
	}
	colors := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(count[b]-count[a], int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B))
	})
	var palette color.Palette
	for _, c := range colors[:min(len(colors), 256)] {
		palette = append(palette, c)
	}
	index := map[color.RGBA]uint8{}
	for _, c := range colors {
		index[c] = uint8(palette.Index(c))
	}
	out := image.NewPaletted(img.Bounds(), palette)
	for i := range out.Pix {
		at := img.Pix[4*i:]
		out.Pix[i] = index[color.RGBA{at[0], at[1], at[2], at[3]}]
	}
	return out
}

func (s *shape) paint(img *image.RGBA) {
	p := s.points[0]
	var o outline
	switch s.kind {
	case aLine:
		for _, piece := range dashes(s.points, s.dash) {
			o.stroke(piece, s.width)
		}
	case aBox:
		q := s.points[1]
		o.polygon(p, Point{q.X, p.Y}, q, Point{p.X, q.Y})
	case aDot:
		o.disc(p, s.width)
	case aText:
		write(img, s)
		return
	}
	o.fill(img, s.color)
}

// An outline is polygons, in pixels. All of them turn the same way, so that
// where they overlap they do not cancel out.
type outline [][]Point

// fill paints what the polygons cover.
func (o outline) fill(img *image.RGBA, c color.RGBA) {
	least, most := Point{math.Inf(1), math.Inf(1)}, Point{}
	for _, polygon := range o {
		for _, p := range polygon {
			least = Point{math.Floor(min(least.X, p.X)), math.Floor(min(least.Y, p.Y))}
			most = Point{math.Ceil(max(most.X, p.X)), math.Ceil(max(most.Y, p.Y))}
		}
	}
	box := image.Rect(int(least.X), int(least.Y), int(most.X), int(most.Y))
	r := vector.NewRasterizer(box.Dx(), box.Dy())
	for _, polygon := range o {
		for i, p := range polygon {
			x, y := float32(p.X-least.X), float32(p.Y-least.Y)
			if i == 0 {
				r.MoveTo(x, y)
			} else {
				r.LineTo(x, y)
			}
		}
		r.ClosePath()
	}
	r.Draw(img, box, image.NewUniform(c), image.Point{})
}

func (o *outline) polygon(points ...Point) {
	for i, p := range points {
		points[i] = Point{p.X * scale, p.Y * scale}
	}
	*o = append(*o, points)
}

func (o *outline) disc(center Point, radius float64) {
	const corners = 32
	points := make([]Point, corners)
	for i := range points {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / corners)
		points[i] = Point{center.X + radius*cos, center.Y + radius*sin}
	}
	o.polygon(points...)
}

// stroke fills what a round pen covers, but for the two ends, which are flat.
func (o *outline) stroke(points []Point, width float64) {
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		length := math.Hypot(b.X-a.X, b.Y-a.Y)
		if length == 0 {
			continue
		}
		x, y := (b.Y-a.Y)/length*width/2, (a.X-b.X)/length*width/2
		o.polygon(Point{a.X + x, a.Y + y}, Point{b.X + x, b.Y + y}, Point{b.X - x, b.Y - y}, Point{a.X - x, a.Y - y})
		if i > 1 {
			o.disc(a, width/2)
		}
	}
}

// dashes cuts a line into those pieces of it that are drawn.
func dashes(points []Point, dash []float64) (pieces [][]Point) {
	if len(dash) == 0 {
		return [][]Point{points}
	}
	piece, n, left := []Point{points[0]}, 0, dash[0]
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		for {
			length := math.Hypot(b.X-a.X, b.Y-a.Y)
			if length <= left {
				left -= length
				piece = append(piece, b)
				break
			}
			a = Point{a.X + (b.X-a.X)*left/length, a.Y + (b.Y-a.Y)*left/length}
			if left > 0 {
				piece = append(piece, a)
			}
			if n%2 == 0 {
				pieces = append(pieces, piece)
			}
			n++
			piece, left = []Point{a}, dash[n%len(dash)]
		}
	}
	if n%2 == 0 {
		pieces = append(pieces, piece)
	}
	return pieces
}

func write(img draw.Image, s *shape) {
	x := s.points[0].X
	switch s.anchor {
	case middle:
		x -= textWidth(s.text, s.width, s.bold) / 2
	case end:
		x -= textWidth(s.text, s.width, s.bold)
	case start:
	}
	d := font.Drawer{
		Dst: img, Src: image.NewUniform(s.color), Face: face(s.width, s.bold),
		Dot: fixed.Point26_6{X: fixed.Int26_6(x * scale * 64), Y: fixed.Int26_6(s.points[0].Y * scale * 64)},
	}
	d.DrawString(s.text)
}

// textWidth is that in the font of the PNG, which is a little wider than those
// that an SVG is shown with.
func textWidth(text string, size float64, bold bool) float64 {
	return float64(font.MeasureString(face(size, bold), text)) / 64 / scale
}

var fonts = sync.OnceValues(func() (regular, bold *opentype.Font) {
	return mustParse(goregular.TTF), mustParse(gobold.TTF)
})

func mustParse(ttf []byte) *opentype.Font {
	f, err := opentype.Parse(ttf)
	if err != nil {
		panic(err) // the font is part of the library
	}
	return f
}

func face(size float64, bold bool) font.Face {
	f, heavy := fonts()
	if bold {
		f = heavy
	}
	result, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size * scale, DPI: 72})
	if err != nil {
		panic(err) // the options are right
	}
	return result
}
