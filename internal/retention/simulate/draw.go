package main

import (
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/retention"
	"github.com/packetcache/packetcache/internal/retention/chart"
)

// looks are how the variants are drawn, in their order, the last one for what is
// shipped: colours that colour-blind people can tell apart (Okabe and Ito,
// "Color Universal Design"), and different dashes.
var looks = []chart.Series{
	{Color: color.RGBA{0x76, 0x76, 0x76, 255}, Width: 2, Dash: []float64{2, 3}},
	{Color: color.RGBA{0xe6, 0x9f, 0x00, 255}, Width: 2, Dash: []float64{8, 4}},
	{Color: color.RGBA{0x00, 0x9e, 0x73, 255}, Width: 2.2},
	{Color: color.RGBA{0x00, 0x72, 0xb2, 255}, Width: 3.2},
}

// draw writes the pictures of a study.
func draw(s *retention.Study, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, picture := range []struct {
		suffix string
		figure *chart.Figure
	}{
		{"", heads(s, 1)}, {"-heads", heads(s, 0, 1, 2, 3)}, {"-horizons", horizons(s)},
	} {
		base := filepath.Join(dir, "retention-"+s.Trace+picture.suffix)
		image, err := picture.figure.PNG()
		if err != nil {
			return err
		}
		if err := os.WriteFile(base+".png", image, 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(base+".svg", picture.figure.SVG(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func subtitle(s *retention.Study) string {
	return fmt.Sprintf("%s of traffic in %s, %s of memory", config.FormatBytes(s.Bytes), retention.Age(s.Duration), config.FormatBytes(uint64(s.Budget)))
}

// heads shows how many sessions have their heads, by age.
func heads(s *retention.Study, which ...int) *chart.Figure {
	f := &chart.Figure{Title: "Sessions of which the beginning is still there, by age", Subtitle: subtitle(s), Columns: 2, Width: 420, Height: 280}
	if len(which) == 1 {
		f.Title = fmt.Sprintf("Sessions whose %s are still there, by age", retention.Heads[which[0]])
		f.Width, f.Height = 760, 330
	}
	for _, head := range which {
		p := chart.Panel{X: ageAxis(s.Duration), Y: chart.Axis{Max: 100}}
		for v := 0; v <= 100; v += 20 {
			p.Y.Ticks = append(p.Y.Ticks, chart.Tick{At: float64(v), Label: fmt.Sprintf("%d %%", v)})
		}
		if len(which) > 1 {
			p.Title = retention.Heads[head].String()
		}
		for i := range s.Results {
			r := &s.Results[i]
			series := look(s, i)
			for n, share := range r.ByAge[head] {
				y := math.NaN()
				if share.Of > 0 {
					y = share.Percent()
				}
				at := (float64(n) + 0.5) / retention.Spans * s.Duration.Hours()
				series.Points = append(series.Points, chart.Point{X: at, Y: y})
			}
			p.Series = append(p.Series, series)
		}
		f.Panels = append(f.Panels, p)
	}
	return f
}

func look(s *retention.Study, i int) chart.Series {
	series := looks[i]
	series.Name = s.Results[i].Variant
	return series
}

// ageAxis is in hours.
func ageAxis(d time.Duration) chart.Axis {
	a := chart.Axis{Label: "age of the session", Max: d.Hours()}
	unit, name, step := 1.0, "h", 1.0
	if d > 48*time.Hour {
		unit, name = 24, "d"
	} else if d < time.Hour {
		unit, name = 1.0/60, "min"
	}
	for d.Hours()/unit/step > 10 {
		step *= 2
	}
	a.Max = math.Ceil(a.Max/unit/step-0.05) * unit * step // up to a tick
	for v := 0.0; v*unit <= a.Max*1.001; v += step {
		a.Ticks = append(a.Ticks, chart.Tick{At: v * unit, Label: fmt.Sprintf("%g %s", v, name)})
	}
	return a
}

// horizons shows how far back each head is complete, as status counts it. Time is
// on a scale of powers, since it reaches from minutes to days.
func horizons(s *retention.Study) *chart.Figure {
	p := chart.Panel{
		X: chart.Axis{Label: "beginning of every session of more than one packet", Min: -0.3, Max: float64(len(retention.Reaches)) - 0.7},
		Y: chart.Axis{Label: "complete for the last"},
	}
	for i, head := range retention.Reaches {
		label := config.FormatBytes(uint64(head))
		if head == retention.Whole {
			label = "all of it"
		}
		p.X.Ticks = append(p.X.Ticks, chart.Tick{At: float64(i), Label: label})
	}
	power := func(d time.Duration) float64 { return math.Log(max(d.Seconds(), 1)) }
	least := s.Duration
	for i := range s.Results {
		series := look(s, i)
		series.Marks = true
		for n, reach := range s.Results[i].Promised {
			series.Points = append(series.Points, chart.Point{X: float64(n), Y: power(reach.Age)})
			least = min(least, reach.Age)
		}
		p.Series = append(p.Series, series)
	}
	ticks := []time.Duration{
		time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, time.Hour, 3 * time.Hour,
		10 * time.Hour, 24 * time.Hour, 3 * 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour,
	}
	for i, t := range ticks {
		if t > s.Duration*11/10 || i+1 < len(ticks) && ticks[i+1] <= least {
			continue
		}
		p.Y.Ticks = append(p.Y.Ticks, chart.Tick{At: power(t), Label: retention.Age(t)})
	}
	p.Y.Min, p.Y.Max = p.Y.Ticks[0].At, power(s.Duration)+0.15
	return &chart.Figure{
		Title: "How far back the beginnings of answered sessions are complete", Subtitle: subtitle(s),
		Columns: 1, Width: 760, Height: 330, Panels: []chart.Panel{p},
	}
}
