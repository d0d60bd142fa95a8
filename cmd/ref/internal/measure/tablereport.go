package measure

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"sdref/cmd/ref/internal/cli"
)

// ratios compares each network of CSC layers with the one that has only a CSC stem.
func ratios(rows []tableRow) []tableRatio {
	list := []tableRatio{}
	for _, all := range rows {
		for _, stem := range rows {
			if all.Data == stem.Data && all.Network == stem.Network+"_all" && all.Train.ImagesPerSec > 0 &&
				stem.Train.ImagesPerSec > 0 && stem.Train.PeakRSS > 0 {
				list = append(list, tableRatio{all.Network, stem.Network, all.Data,
					all.Train.PeakRSS / stem.Train.PeakRSS, stem.Train.ImagesPerSec / all.Train.ImagesPerSec})
			}
		}
	}
	return list
}

// paperRatio is the ratio in Table D.1, on the authors' GPU.
func paperRatio(q tableRatio) string {
	if q.All != "sdnet18_all" {
		return ""
	}
	return " (the paper, on a GPU: 3.4 and 3.75)"
}

// print writes the table as text.
func (r *tableReport) print(out io.Writer) error {
	fmt.Fprintln(out, cli.Machine())
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "data\tnetwork\tparameters\tauthors' weights\tthese "+
		"weights\tbatch\ttraining\t\tprediction\t\t")
	fmt.Fprintln(w, "\t\t\ttop-1 %\ttop-1 %\t\tMB\timages/s\tMB\timages/s\t")
	for _, row := range r.Rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\t\n", row.Data, row.Network,
			cli.Thousands(row.Parameters), known("%.2f", row.Published, "-"),
			known("%.2f", row.Accuracy, "-"),
			row.Batch, known("%.0f", row.Train.PeakRSS, "-"), known("%.1f", row.Train.ImagesPerSec, "-"),
			known("%.0f", row.Predict.PeakRSS, "-"), known("%.1f", row.Predict.ImagesPerSec, "-"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, q := range r.Ratios {
		fmt.Fprintf(out, "%s to %s on %s, training: %.2f times the memory, %.2f times the time%s\n", q.All,
			q.Stem, q.Data, q.Memory, q.Time, paperRatio(q))
	}
	return nil
}

// known formats a number, or returns otherwise if it is 0 and so not known.
func known(format string, v float64, otherwise string) string {
	if v == 0 {
		return otherwise
	}
	return fmt.Sprintf(format, v)
}

// writeCSV writes the rows; a cell is empty where the number is not known.
func (r *tableReport) writeCSV(w io.Writer) error {
	_, err := fmt.Fprintln(w, "data,network,parameters,published_accuracy,accuracy,accuracy_images,batch,"+
		"train_mb,train_images_per_second,predict_mb,predict_images_per_second")
	for _, row := range r.Rows {
		cells := []string{row.Data, row.Network, fmt.Sprint(row.Parameters)}
		for _, v := range []float64{row.Published, row.Accuracy, float64(row.Images), float64(row.Batch),
			row.Train.PeakRSS, row.Train.ImagesPerSec, row.Predict.PeakRSS, row.Predict.ImagesPerSec} {
			cells = append(cells, known("%g", v, ""))
		}
		if err == nil {
			_, err = fmt.Fprintln(w, strings.Join(cells, ","))
		}
	}
	return err
}
