package picture

import (
	"fmt"
	"strings"
)

// words are the fixed words of a picture in one language. Each is a whole: %d and %s
// stand where that language wants them.
type words struct {
	flow, start, end, again, onLeave, onError string
	needs, secret, visits, cond, only         string
	missing, unreachable, nowhere             string
	err, errs, warn, warns, elsewhere         string
	entered, left, more, from, steps          string
	added, removed, changed, back             string
	summary, order                            string
}

func wordsIn(lang string) words {
	if strings.HasPrefix(lang, "zh") {
		return words{
			flow: "流程 %s", start: "开始", end: "结束", again: "重来", onLeave: "离开时", onError: "出错时",
			needs: "需 %s", secret: "保密", visits: "最多 %d 次", cond: "若 %s", only: "仅 %s",
			missing: "缺 %s", unreachable: "不可达", nowhere: "没有步骤 %s",
			err: "%d 个错误", errs: "%d 个错误", warn: "%d 个警告", warns: "%d 个警告", elsewhere: "文件其他位置：%s",
			entered: "进入 %d", left: "离开 %d（%s）", more: "另有 %d 处来", from: "来自 %s", steps: "%d 个步骤",
			added: "新增", removed: "删除", changed: "已改", back: "返回",
			summary: "新增 %d，删除 %d，已改 %d", order: "第 %s 步",
		}
	}
	return words{
		flow: "Flow %s", start: "start", end: "end", again: "again", onLeave: "on leave", onError: "on error",
		needs: "needs %s", secret: "secret", visits: "max %d×", cond: "if %s", only: "%s only",
		missing: "%s missing", unreachable: "unreachable", nowhere: "no step %s",
		err: "%d error", errs: "%d errors", warn: "%d warning", warns: "%d warnings", elsewhere: "elsewhere in the file: %s",
		entered: "%d entered", left: "%d left here (%s)", more: "from %d more", from: "from %s", steps: "%d steps",
		added: "added", removed: "removed", changed: "changed", back: "back",
		summary: "%d added, %d removed, %d changed", order: "no. %s",
	}
}

func (w words) errors(n int) string {
	if n == 1 {
		return fmt.Sprintf(w.err, n)
	}
	return fmt.Sprintf(w.errs, n)
}

func (w words) warnings(n int) string {
	if n == 1 {
		return fmt.Sprintf(w.warn, n)
	}
	return fmt.Sprintf(w.warns, n)
}

// percent is part of whole, without decimals unless it is small.
func percent(part, whole int) string {
	if whole <= 0 {
		return "–"
	}
	if p := 100 * float64(part) / float64(whole); part > 0 && p < 1 {
		return "<1 %"
	} else {
		return fmt.Sprintf("%.0f %%", p)
	}
}
