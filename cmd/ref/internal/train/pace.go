package train

import (
	"fmt"
	"strings"
	"time"

	"sdref/sdnet/training"
)

// The measurement of a run's speed is left out where the run is shorter than it; a run of CIFAR that takes longer than long is worth a
// word about the recipe for CPUs.
const (
	measuredSteps = 30
	long          = 3 * time.Hour
)

// sayPace measures some steps, on a copy of the network, and says how long the run will take.
func (s *session[T]) sayPace() {
	r := s.r
	if r.TotalSteps()-r.Iteration < measuredSteps || s.stop > 0 && s.stop-r.Iteration < measuredSteps {
		return
	}
	pace := r.Pace()
	left := r.Remaining(pace)
	s.p.Say("about %s at the speed of a few steps measured now, %.1f images/s", span(left), 1/pace.Seconds())
	if short := training.Short(); left > long && strings.HasPrefix(r.Data, "cifar") && r.Epochs-len(r.History) > short.Epochs {
		share := float64(short.Epochs) / float64(r.Epochs-len(r.History))
		s.p.Say("note: that is more than three hours; -recipe short, with %d epochs, would take about %s or less", short.Epochs,
			span(time.Duration(share*float64(left))))
	}
	s.p.Start = time.Now() // from which the speed is counted
}

// span is a time as one says it: its two largest units.
func span(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()+0.5))
	}
	minutes := int(d.Minutes() + 0.5)
	days, hours := minutes/(24*60), minutes/60%24
	switch {
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes%60)
	}
	return fmt.Sprintf("%d min", minutes)
}
