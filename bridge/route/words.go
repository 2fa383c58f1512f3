package route

import (
	"fmt"
	"time"

	"tandem"
)

// Sentences for staff. Each is written out whole in both languages; only names, figures and
// spans are filled in.
var (
	wordsThere      = tandem.Words{En: "A task needs an id that is in the line not yet.", Zh: "任务需要一个队列中尚不存在的编号。"}
	wordsOver       = tandem.Words{En: "The task is over.", Zh: "该任务已结束。"}
	wordsServed     = tandem.Words{En: "The task has been served and only waits for the agent's notes.", Zh: "该任务已处理完毕，只等客服完成话后处理。"}
	wordsOfferOver  = tandem.Words{En: "The offer is over: the task waits again, or somebody else has it.", Zh: "该派单已失效：任务已回到队列，或已由他人接手。"}
	wordsNotTheirs  = tandem.Words{En: "The agent does not have the task any more.", Zh: "该客服已不再处理此任务。"}
	wordsTaken      = tandem.Words{En: "The task does not wait any more: it is offered to somebody, or somebody has it.", Zh: "该任务已不在等待：正派给某位客服，或已由客服接手。"}
	wordsBarred     = tandem.Words{En: "An agent is being offered, or has, another task of the same interaction.", Zh: "同一互动的另一任务正派给客服，或已由客服处理。"}
	wordsNoWrap     = tandem.Words{En: "The agent does not wrap up that task any more.", Zh: "该客服已不在此任务的话后处理中。"}
	wordsStopping   = tandem.Words{En: "Nothing is offered any more: the server is stopping.", Zh: "服务器正在停止，不再派单。"}
	wordsNobodyFits = tandem.Words{En: "No agent is of a team that serves it and has the skills that it asks for.",
		Zh: "没有任何客服既属于服务该任务的班组，又具备所需技能。"}
	wordsSoon = tandem.Words{En: "It is offered next.", Zh: "即将派出。"}
)

func words(en, zh string, fill ...any) tandem.Words {
	return tandem.Words{En: fmt.Sprintf(en, fill...), Zh: fmt.Sprintf(zh, fill...)}
}

func wordsNoQueue(name string) tandem.Words {
	return words("The policy has no queue %q: name one that it has.", "策略中没有队列 %q，请改用已有的队列。", name)
}

func wordsNoAgent(name string) tandem.Words {
	return words("The policy has no agent %q: name one that it has.", "策略中没有客服 %q，请改用已有的客服。", name)
}

func wordsNoLoad(load string) tandem.Words {
	return words("%q is no kind of load: it is voice, chat, sms or work.", "%q 不是有效的负荷类别：应为 voice、chat、sms 或 work。", load)
}

func wordsNoPresence(p string) tandem.Words {
	return words("%q is no presence: it is available, away or offline.", "%q 不是有效状态：应为 available、away 或 offline。", p)
}

func wordsOffline(name string) tandem.Words {
	return words("%s is offline.", "%s 已离线。", name)
}

func wordsTheirs(name string) tandem.Words {
	return words("%s has it already.", "该任务已由 %s 处理。", name)
}

// Words that depend on the load, in the order of loads.
var (
	fullWords = [loadCount]tandem.Words{
		{En: "%s has no room for another call.", Zh: "%s 无法再接一个通话。"},
		{En: "%s has no room for another chat.", Zh: "%s 无法再接一个聊天。"},
		{En: "%s has no room for another text.", Zh: "%s 无法再接一个短信会话。"},
		{En: "%s has no room for another piece of work.", Zh: "%s 无法再接一项工作。"},
	}
	unreachableWords = [loadCount]tandem.Words{
		{En: "%s cannot be reached for calls.", Zh: "目前无法以通话联系到 %s。"},
		{En: "%s cannot be reached for chats.", Zh: "目前无法以聊天联系到 %s。"},
		{En: "%s cannot be reached for texts.", Zh: "目前无法以短信会话联系到 %s。"},
		{En: "%s cannot be reached for work.", Zh: "目前无法向 %s 派发工作。"},
	}
	// The agent, how many could take it, what the agent has, and may have.
	leastWords = [loadCount][2]tandem.Words{
		{{En: "Of the %[2]d agents who can take it now, %[1]s has the most room: %[3]d of %[4]d call.", Zh: "目前能接的 %[2]d 名客服中，%[1]s 最空闲：通话 %[3]d/%[4]d。"},
			{En: "Of the %[2]d agents who can take it now, %[1]s has the most room: %[3]d of %[4]d calls.", Zh: "目前能接的 %[2]d 名客服中，%[1]s 最空闲：通话 %[3]d/%[4]d。"}},
		{{En: "Of the %[2]d agents who can take it now, %[1]s has the most room: %[3]d of %[4]d chat.", Zh: "目前能接的 %[2]d 名客服中，%[1]s 最空闲：聊天 %[3]d/%[4]d。"},
			{En: "Of the %[2]d agents who can take it now, %[1]s has the most room: %[3]d of %[4]d chats.", Zh: "目前能接的 %[2]d 名客服中，%[1]s 最空闲：聊天 %[3]d/%[4]d。"}},
		{{En: "Of the %[2]d agents who can take it now, %[1]s has the most room: %[3]d of %[4]d text.", Zh: "目前能接的 %[2]d 名客服中，%[1]s 最空闲：短信 %[3]d/%[4]d。"},
			{En: "Of the %[2]d agents who can take it now, %[1]s has the most room: %[3]d of %[4]d texts.", Zh: "目前能接的 %[2]d 名客服中，%[1]s 最空闲：短信 %[3]d/%[4]d。"}},
		{{En: "Of the %[2]d agents who can take it now, %[1]s has the most room: %[3]d of %[4]d piece of work.", Zh: "目前能接的 %[2]d 名客服中，%[1]s 最空闲：工作 %[3]d/%[4]d。"},
			{En: "Of the %[2]d agents who can take it now, %[1]s has the most room: %[3]d of %[4]d pieces of work.", Zh: "目前能接的 %[2]d 名客服中，%[1]s 最空闲：工作 %[3]d/%[4]d。"}},
	}
)

func wordsFull(name string, load int) tandem.Words {
	return words(fullWords[load].En, fullWords[load].Zh, name)
}

func wordsUnreachable(name string, load int) tandem.Words {
	return words(unreachableWords[load].En, unreachableWords[load].Zh, name)
}

func wordsLeastLoaded(name string, eligible, load, has, cap int) tandem.Words {
	w := leastWords[load][min(cap-1, 1)]
	return words(w.En, w.Zh, name, eligible, has, cap)
}

func wordsPulled(name string) tandem.Words {
	return words("It was given to %s by hand, past the order of the line.", "由人工直接派给 %s，未按排队顺序。", name)
}

func wordsKept(name string) tandem.Words {
	return words("It was kept for %s, who is preferred for it.", "该任务为首选客服 %s 保留。", name)
}

func wordsOnly(name string) tandem.Words {
	return words("%[1]s is the only agent who can take it now, and nothing that %[1]s can take is before it in the line.",
		"目前只有 %[1]s 能接，而且在 %[1]s 能接的任务中它排在最前。", name)
}

func wordsLongestIdle(name string, eligible int, idle time.Duration) tandem.Words {
	return tandem.Words{
		En: fmt.Sprintf("Of the %d agents who can take it now, none has more room than %s, who has been idle for longest: %s.", eligible, name, spanEn(idle)),
		Zh: fmt.Sprintf("目前能接的 %d 名客服中，没有人比 %s 更空闲，且其空闲时间最长：%s。", eligible, name, spanZh(idle)),
	}
}

func wordsFirstByName(name string, eligible int) tandem.Words {
	return words("Of the %d agents who can take it now, none has more room or has been idle for longer than %s, who is first by name.",
		"目前能接的 %d 名客服中，没有人比 %s 更空闲或空闲更久，按姓名其排在最前。", eligible, name)
}

func wordsNotYet(left time.Duration) tandem.Words {
	return tandem.Words{
		En: fmt.Sprintf("It is not to be offered for another %s.", spanEn(left)),
		Zh: fmt.Sprintf("还要过 %s 才可派出。", spanZh(left)),
	}
}

func wordsClosed(queue string) tandem.Words {
	return words("The queue %s is closed now.", "队列 %s 现在未开放。", queue)
}

func wordsKeptWaiting(name string, left time.Duration) tandem.Words {
	return tandem.Words{
		En: fmt.Sprintf("It is kept for %s, who is preferred for it and busy, for another %s.", name, spanEn(left)),
		Zh: fmt.Sprintf("该任务为首选客服 %s 保留，对方正忙，还将保留 %s。", name, spanZh(left)),
	}
}

func wordsAlone(name string) tandem.Words {
	return words("It is for %s alone, who is busy or let it pass just now.", "该任务只派给 %s，对方正忙或刚刚未接。", name)
}

func wordsNobodyThere(fit int) tandem.Words {
	if fit == 1 {
		return words("The only agent who could take it is offline or away.", "唯一能接的客服已离线或离开。")
	}
	return words("None of the %d agents who could take it is there: they are offline or away.", "能接的 %d 名客服都不在：已离线或离开。", fit)
}

func wordsNobodyFree(there int) tandem.Words {
	if there == 1 {
		return words("The only agent there who could take it is not free.", "在岗且能接的唯一客服目前没有空。")
	}
	return words("None of the %d agents there who could take it is free.", "在岗且能接的 %d 名客服目前都没有空。", there)
}

// spanEn and spanZh are a span in whole seconds, or minutes and hours where it is long.
func spanEn(d time.Duration) string {
	h, m, s := clock(d)
	switch {
	case h > 0:
		return fmt.Sprintf("%d h %d min", h, m)
	case m > 0:
		return fmt.Sprintf("%d min %d s", m, s)
	}
	return fmt.Sprintf("%d s", s)
}

func spanZh(d time.Duration) string {
	h, m, s := clock(d)
	switch {
	case h > 0:
		return fmt.Sprintf("%d 小时 %d 分", h, m)
	case m > 0:
		return fmt.Sprintf("%d 分 %d 秒", m, s)
	}
	return fmt.Sprintf("%d 秒", s)
}

func clock(d time.Duration) (h, m, s int) {
	s = int(max(d, 0).Round(time.Second) / time.Second)
	return s / 3600, s / 60 % 60, s % 60
}
