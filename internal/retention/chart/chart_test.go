package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/color"
	"image/png"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
)

var red = color.RGBA{200, 0, 0, 255}

// sample has a line with a gap, a lonely point, and names that XML must escape.
func sample() *Figure {
	nan := math.NaN()
	return &Figure{
		Title: "Fish & chips", Subtitle: "5 < 6", Columns: 1, Width: 400, Height: 200,
		Panels: []Panel{{
			X: Axis{Label: "time", Max: 10, Ticks: []Tick{{5, "noon"}}},
			Y: Axis{Label: "hunger", Max: 100, Ticks: []Tick{{50, "50 %"}}},
			Series: []Series{{Name: "me", Color: red, Width: 3, Points: []Point{
				{0, 100}, {1, 90}, {2, nan}, {3, 80}, {4, nan}, {5, 50}, {10, 50},
			}}},
		}},
	}
}

func TestSVG(t *testing.T) {
	svg := sample().SVG()
	var texts []string
	lines, dots, size := 0, 0, ""
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.CharData:
			texts = append(texts, strings.TrimSpace(string(token)))
		case xml.StartElement:
			attributes := map[string]string{}
			for _, a := range token.Attr {
				attributes[a.Name.Local] = a.Value
			}
			switch {
			case token.Name.Local == "svg":
				size = attributes["viewBox"]
			case token.Name.Local == "polyline" && attributes["stroke"] == "#c80000":
				lines++
			case token.Name.Local == "circle":
				dots++
			}
		}
	}
	for _, want := range []string{"Fish & chips", "5 < 6", "me", "time", "hunger", "noon", "50 %"} {
		if !strings.Contains(strings.Join(texts, "\n"), want) {
			t.Errorf("%q is not there", want)
		}
	}
	if lines != 3 || dots != 1 || size != "0 0 440 294" { // one line is the legend's
		t.Errorf("%d lines, %d dots, %s", lines, dots, size)
	}
}

func TestPNG(t *testing.T) {
	file, err := sample().PNG()
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if size := img.Bounds().Size(); size.X != 880 || size.Y != 588 {
		t.Errorf("it is %v large", size)
	}
	count := map[color.RGBA]int{}
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
			if c.A != 255 {
				t.Fatalf("one can see through it at %d, %d", x, y)
			}
			count[c]++
		}
	}
	// The legend's line, and those from 0 to 1 and from 5 to 10, are 6 pixels
	// thick.
	if n := count[red]; n < 6*(60+65+325)*9/10 || n > 6*(60+65+325)*11/10+100 {
		t.Errorf("%d pixels are red", n)
	}
	if count[ink] == 0 || count[paper] < 400_000 {
		t.Errorf("%d pixels of ink on %d of paper", count[ink], count[paper])
	}
}

func TestDashes(t *testing.T) {
	line := []Point{{0, 0}, {4, 0}, {4, 3}}
	for _, test := range []struct {
		dash []float64
		want [][]Point
	}{
		{nil, [][]Point{line}},
		{[]float64{10, 1}, [][]Point{line}},
		{[]float64{1, 2}, [][]Point{{{0, 0}, {1, 0}}, {{3, 0}, {4, 0}}, {{4, 2}, {4, 3}}}},
		{[]float64{5, 1}, [][]Point{{{0, 0}, {4, 0}, {4, 1}}, {{4, 2}, {4, 3}}}},
	} {
		if got := dashes(line, test.dash); !reflect.DeepEqual(got, test.want) {
			t.Errorf("dashes of %v: %v, want %v", test.dash, got, test.want)
		}
	}
}
