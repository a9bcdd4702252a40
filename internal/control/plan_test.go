package control

import (
	"context"
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// What a client asks for comes to the service, and its answer back.
func TestPlan(t *testing.T) {
	want := Plan{
		RAMBytes: 16 << 30, BudgetBytes: 160 << 20, Horizons: []Horizon{{UpToBytes: 1024, Seconds: 7200}},
		Rates: Rates{Seconds: 3600, PacketsPerSecond: 1.5, BytesPerSecond: 1000, Compression: 2.5},
	}
	dir, _ := serve(t, &fakeService{plan: func(_ context.Context, req PlanRequest) (Plan, error) {
		answer := want
		for _, ram := range req.RAM {
			answer.Budgets = append(answer.Budgets, PlannedBudget{RAM: ram, Horizons: []PlannedHorizon{{Seconds: 1, Extrapolated: true}}})
		}
		return answer, nil
	}})
	for _, asked := range [][]string{{"2%"}, {"2.5 %", "320MiB", ""}} {
		got, err := client(t, dir).Plan(t.Context(), PlanRequest{RAM: asked})
		if err != nil || len(got.Budgets) != len(asked) || got.Rates != want.Rates || got.BudgetBytes != want.BudgetBytes || !reflect.DeepEqual(got.Horizons, want.Horizons) {
			t.Fatalf("%q: got %+v, %v", asked, got, err)
		}
		for i, ram := range asked {
			if b := got.Budgets[i]; b.RAM != ram || len(b.Horizons) != 1 || !b.Horizons[0].Extrapolated {
				t.Errorf("%q: got %+v", ram, b)
			}
		}
	}
}

func TestPlanFail(t *testing.T) {
	dir, _ := serve(t, &fakeService{plan: func(_ context.Context, req PlanRequest) (Plan, error) {
		if len(req.RAM) == 0 {
			return Plan{}, errors.New("no")
		}
		return Plan{}, &Problem{Status: 400, Message: req.RAM[0]}
	}})
	for _, test := range []struct {
		query  url.Values
		status int
		want   string
	}{
		{nil, 500, "no"},
		{url.Values{"ram": {"9%"}}, 400, "9%"},
		{url.Values{"ram": {"1%", "2%"}}, 400, "parameter ram is given 2 times"},
		{url.Values{"rma": {"1%"}}, 400, `unknown parameter "rma"`},
		{url.Values{"ram": {strings.Repeat(",", MaxPlans)}}, 400, "17 budgets are too many"},
	} {
		var problem *Problem
		if err := client(t, dir).getJSON(t.Context(), "/v1/plan", test.query, &Plan{}); !errors.As(err, &problem) || problem.Status != test.status || problem.Message != test.want {
			t.Errorf("%v: got %v", test.query, err)
		}
	}
	// Lists are empty, never null.
	dir, _ = serve(t, &fakeService{})
	if got, err := client(t, dir).Plan(t.Context(), PlanRequest{}); err != nil || got.Horizons == nil || len(got.Budgets) != 1 || got.Budgets[0].Horizons == nil {
		t.Errorf("got %+v, %v", got, err)
	}
}
