package main

import (
	"bytes"
	"image"
	"image/color"
	"os"

	"github.com/tc-hib/winres"
)

// sizes are those that Windows asks for at usual scales (learn.microsoft.com,
// "Construct your Windows app's icon").
var sizes = []int{16, 20, 24, 32, 40, 48, 64, 256}

// The icon is sessions, one above the other: the newest is whole, and the older
// they are, the shorter is the beginning that is left. Lengths are in
// sixteenths of the edge.
var bars = []struct {
	top, length float64
	color       color.NRGBA
}{
	{3, 11, color.NRGBA{0x5b, 0xc8, 0xf5, 0xff}},
	{6, 8, color.NRGBA{0x7f, 0xd6, 0xb5, 0xff}},
	{9, 5, color.NRGBA{0xf5, 0xd0, 0x6b, 0xff}},
	{12, 2.5, color.NRGBA{0xf2, 0x9e, 0x6b, 0xff}},
}

var ground = color.NRGBA{0x17, 0x2a, 0x45, 0xff}

const (
	grid   = 16  // the icon's edge, in the units of bars
	corner = 3.0 // radius of the ground's corners
	left   = 2.5 // where the bars begin
	height = 2.0 // of a bar
	// samples in each direction make the color of a pixel.
	samples = 8
)

func icon() (*winres.Icon, error) {
	var images []image.Image
	for _, size := range sizes {
		images = append(images, draw(size))
	}
	return winres.NewIconFromImages(images)
}

func writeIcon(path string) error {
	b, err := ico()
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}

// ico is the icon as a file.
func ico() ([]byte, error) {
	i, err := icon()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = i.SaveICO(&b)
	return b.Bytes(), err
}

// draw draws the icon at a size in pixels.
func draw(size int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			img.SetNRGBA(x, y, pixel(x, y, grid/float64(size)))
		}
	}
	return img
}

// pixel is the mean color of a square of the grid with edge scale.
func pixel(x, y int, scale float64) color.NRGBA {
	var r, g, b, covered float64
	for i := range samples * samples {
		c := at(scale*(float64(x)+(float64(i%samples)+0.5)/samples), scale*(float64(y)+(float64(i/samples)+0.5)/samples))
		if c.A > 0 {
			r, g, b, covered = r+float64(c.R), g+float64(c.G), b+float64(c.B), covered+1
		}
	}
	if covered == 0 {
		return color.NRGBA{}
	}
	return color.NRGBA{
		uint8(r/covered + 0.5), uint8(g/covered + 0.5), uint8(b/covered + 0.5),
		uint8(255*covered/(samples*samples) + 0.5),
	}
}

// at is the color of a point of the grid.
func at(x, y float64) color.NRGBA {
	if !rounded(x, y, 0, 0, grid, grid, corner) {
		return color.NRGBA{}
	}
	for _, bar := range bars {
		if rounded(x, y, left, bar.top-0.5, left+bar.length, bar.top-0.5+height, height/2) {
			return bar.color
		}
	}
	return ground
}

// rounded reports whether a point lies in a rectangle with round corners.
func rounded(x, y, x0, y0, x1, y1, radius float64) bool {
	if x < x0 || x > x1 || y < y0 || y > y1 {
		return false
	}
	dx := max(x0+radius-x, x-(x1-radius), 0)
	dy := max(y0+radius-y, y-(y1-radius), 0)
	return dx*dx+dy*dy <= radius*radius
}
