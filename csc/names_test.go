package csc

import (
	"fmt"
	"slices"
	"testing"

	"sdref/autodiff"
	"sdref/conv"
)

// TestFISTANodes pins FISTA's nodes, which are those of docs/golden.md: LAYER/k and the quantity, the synthesis from the second
// iteration on and the momentum from the third, and what each is computed from. The variants differ in the synthesis alone.
func TestFISTANodes(t *testing.T) {
	for _, layer := range []string{"", "layer0.0.dn"} {
		for _, v := range variants {
			for iterations := 1; iterations <= 5; iterations++ {
				g := autodiff.NewGraph()
				x, w, step := g.Input("x", 2, 3, 6, 7), g.Input("w", 5, 3, 3, 3), g.Input("t")
				s := Settings{Geometry: conv.Geometry{Padding: 1}, Lambda: 0.1, Iterations: iterations, Variant: v}
				z := FISTA(layer, x, w, step, nil, s)
				if got, want := listed(g), fistaNodes(layer, iterations, v); !slices.Equal(got, want) {
					t.Errorf("%q, %v, %d iterations: nodes\n%v, want\n%v", layer, v, iterations, got, want)
				}
				if want := at(layer, iterations, "code"); z != g.Node(want) {
					t.Errorf("%q, %v, %d iterations: the code is %s, want %s", layer, v, iterations, z.Name, want)
				}
			}
		}
	}
}

// listed is every node of a graph with its inputs.
func listed(g *autodiff.Graph) (list []string) {
	for _, n := range g.Nodes {
		line := n.Name + " ="
		for _, in := range n.Inputs {
			line += " " + in.Name
		}
		list = append(list, line)
	}
	return list
}

// at is a name of docs/golden.md.
func at(layer string, iteration int, quantity string) string {
	name := fmt.Sprintf("%d/%s", iteration, quantity)
	if layer != "" {
		name = layer + "/" + name
	}
	return name
}

// fistaNodes is the list as (A.1) gives it.
func fistaNodes(layer string, iterations int, v Variant) (list []string) {
	for k := 1; k <= iterations; k++ {
		node := func(quantity, inputs string) { list = append(list, at(layer, k, quantity)+" = "+inputs) }
		y := at(layer, k-1, "code") // where the step starts: y_2 = z_1
		if k >= 3 {
			node("momentum", at(layer, k-1, "code")+" "+at(layer, k-2, "code"))
			y = at(layer, k, "momentum")
		}
		if k == 1 { // y_1 = 0
			node("analysis", "x w")
			node("prethreshold", at(layer, k, "analysis")+" t")
			node("code", at(layer, k, "prethreshold")+" t")
			continue
		}
		from := y
		if v == Published {
			from = at(layer, k-1, "code")
		}
		node("synthesis", from+" w")
		node("residual", "x "+at(layer, k, "synthesis"))
		node("analysis", at(layer, k, "residual")+" w")
		node("prethreshold", y+" "+at(layer, k, "analysis")+" t")
		node("code", at(layer, k, "prethreshold")+" t")
	}
	return list
}

// TestFISTANodesLearned: lambda as an input reaches every shrinkage, and the solution's node stands behind the last code.
func TestFISTANodesLearned(t *testing.T) {
	g := autodiff.NewGraph()
	x, w, step, lambda := g.Input("x", 2, 3), g.Input("w", 5, 3), g.Input("t"), g.Input("lambda")
	z := Code("here", x, w, step, lambda, Settings{Iterations: 3, Gradient: Implicit})
	if z.Name != "here/solution" || z.Inputs[0].Name != "here/3/code" {
		t.Errorf("the code is %v, want here/solution of here/3/code", z)
	}
	for k := 1; k <= 3; k++ {
		if n := g.Node(at("here", k, "code")); len(n.Inputs) != 3 || n.Inputs[2] != lambda {
			t.Errorf("%v does not read lambda", n)
		}
	}
}

// TestPowerNodes pins the nodes of power iteration: LAYER/power/k and the quantity, the rounds, the last synthesis, the eigenvalue and
// the step.
func TestPowerNodes(t *testing.T) {
	for _, layer := range []string{"", "layer0.0.dn"} {
		prefix := ""
		if layer != "" {
			prefix = layer + "/"
		}
		for _, rounds := range []int{1, 2, 4} {
			g := autodiff.NewGraph()
			v, w := g.Input("v0", 1, 5, 6, 7), g.Input("w", 5, 3, 3, 3)
			vector, step := PublishedPower(rounds).Append(layer, v, w, 6, 7, conv.Geometry{Padding: 1})
			var want []string
			from, changes := "v0", ""
			for k := 1; k <= rounds; k++ {
				name := func(quantity string) string { return prefix + "power/" + fmt.Sprint(k) + "/" + quantity }
				want = append(want, name("synthesis")+" = "+from+" w", name("analysis")+" = "+name("synthesis")+" w",
					name("vector")+" = "+name("analysis"), name("change")+" = "+name("vector")+" "+from)
				from, changes = name("vector"), changes+" "+name("change")
			}
			want = append(want, prefix+"power/rounds ="+changes, prefix+"power/synthesis = "+from+" w",
				prefix+"eigenvalue = "+prefix+"power/synthesis", prefix+"step = "+prefix+"eigenvalue")
			if got := listed(g); !slices.Equal(got, want) {
				t.Errorf("%q, %d rounds: nodes\n%v, want\n%v", layer, rounds, got, want)
			}
			if vector.Name != from || step.Name != prefix+"step" {
				t.Errorf("%q, %d rounds: vector %s, step %s", layer, rounds, vector.Name, step.Name)
			}
		}
	}
}
