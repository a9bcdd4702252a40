package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/packetcache/packetcache/internal/config"
)

// MaxPlans is how many budgets can be asked for at once.
const MaxPlans = 16

// paramRAM names the budgets of a plan, with commas between them.
const paramRAM = "ram"

// A Plan is the answer to GET /v1/plan: how far back the cache reaches, and
// would reach with other budgets.
type Plan struct {
	// Time is when this answer was made.
	Time time.Time `json:"time"`
	// RAMBytes is the memory of the machine that percentages are meant of.
	RAMBytes int64 `json:"ram_bytes"`
	// BudgetBytes and Horizons are those of Status.
	BudgetBytes int64     `json:"budget_bytes"`
	Horizons    []Horizon `json:"horizons"`
	// Rates are what has been seen, from which the rest is estimated.
	Rates Rates `json:"rates"`
	// Budgets are those asked for, in that order; without any the present one.
	Budgets []PlannedBudget `json:"budgets"`
}

// Rates are what has come since capture began, on average.
type Rates struct {
	// Seconds is for how long packets have been captured.
	Seconds          float64 `json:"seconds"`
	PacketsPerSecond float64 `json:"packets_per_second"`
	// BytesPerSecond are captured bytes.
	BytesPerSecond float64 `json:"bytes_per_second"`
	// Compression is by what factor the packets take less memory than they would
	// otherwise.
	Compression float64 `json:"compression"`
}

// A PlannedBudget is an estimate of how far back a budget reaches in the long
// run, if traffic goes on as it was.
type PlannedBudget struct {
	// RAM is the budget as it was asked for, BudgetBytes what it comes to.
	RAM         string `json:"ram,omitempty"`
	BudgetBytes int64  `json:"budget_bytes"`
	// Horizons are for the same beginnings as those of Plan; none if nothing has
	// been captured yet.
	Horizons []PlannedHorizon `json:"horizons"`
}

// A PlannedHorizon says since when the beginning of every session will be there.
type PlannedHorizon struct {
	// UpToBytes is the length of that beginning; 0 means everything.
	UpToBytes int64 `json:"up_to_bytes"`
	// Seconds is how far back it is going to hold; at most a hundred years.
	Seconds float64 `json:"seconds"`
	// Extrapolated says that this is longer than packets have been captured for.
	Extrapolated bool `json:"extrapolated"`
}

// A PlanRequest asks for a plan.
type PlanRequest struct {
	// RAM are budgets as in the settings, a percentage with its sign or a size:
	// "2%", "320MiB". At most MaxPlans, none with a comma.
	RAM []string
}

// BadRAM is the Problem of a budget that there cannot be.
func BadRAM(err error) *Problem {
	var wrong *config.ValueError
	if errors.As(err, &wrong) {
		return badRequest(wrong.Cause(), "Allowed is "+wrong.Allowed+".")
	}
	return badRequest(paramRAM+": "+err.Error(), "")
}

// Plan asks how far back other budgets would reach.
func (c *Client) Plan(ctx context.Context, req PlanRequest) (Plan, error) {
	q := url.Values{}
	if len(req.RAM) > 0 {
		q.Set(paramRAM, strings.Join(req.RAM, ","))
	}
	var answer Plan
	err := c.getJSON(ctx, "/v1/plan", q, &answer)
	return answer, err
}

func (s *Server) plan(w http.ResponseWriter, r *http.Request) {
	req, err := parsePlanRequest(r.URL.RawQuery)
	if err != nil {
		problemOf(err).write(w)
		return
	}
	plan, err := s.service.Plan(r.Context(), req)
	if err != nil {
		problemOf(err).write(w)
		return
	}
	plan.Horizons = orEmpty(plan.Horizons)
	plan.Budgets = slices.Clone(orEmpty(plan.Budgets))
	for i := range plan.Budgets {
		plan.Budgets[i].Horizons = orEmpty(plan.Budgets[i].Horizons)
	}
	writeJSON(w, http.StatusOK, plan)
}

func parsePlanRequest(raw string) (PlanRequest, error) {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return PlanRequest{}, badRequest("the query cannot be read: "+err.Error(), "A % is written %25.")
	}
	for name, values := range q {
		if name != paramRAM {
			return PlanRequest{}, badRequest(fmt.Sprintf("unknown parameter %q", name), "The parameter is ram.")
		}
		if len(values) != 1 {
			return PlanRequest{}, badRequest(fmt.Sprintf("parameter %s is given %d times", name, len(values)), "Several budgets have a comma between them.")
		}
	}
	if !q.Has(paramRAM) {
		return PlanRequest{}, nil
	}
	req := PlanRequest{RAM: strings.Split(q.Get(paramRAM), ",")}
	if len(req.RAM) > MaxPlans {
		return PlanRequest{}, badRequest(fmt.Sprintf("%d budgets are too many", len(req.RAM)), fmt.Sprintf("Ask for at most %d at once.", MaxPlans))
	}
	return req, nil
}
