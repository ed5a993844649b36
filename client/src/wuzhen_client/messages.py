"""Every text of the client: key, English, Chinese. A test holds both and all keys together.

Keys that start with ``help_`` are the help of a command or an option; those that start with the
name of a group of states (``round_status_open``) are read by ``texts.label``.
"""

MESSAGES: dict[str, tuple[str, str]] = {
    # --- Help ------------------------------------------------------------------------------
    "usage": ("Usage: ", "用法："),
    "options": ("Options", "选项"),
    "commands": ("Commands", "命令"),
    "help_help": ("Show this help.", "显示本帮助。"),
    "help_wuzhen": (
        "Take part in a competition on the Wuzhen platform from the command line.\n\n"
        "Start with: wuzhen login SERVER",
        "在命令行中参加直通乌镇竞赛平台上的比赛。\n\n首先运行：wuzhen login 服务器地址",
    ),
    "help_version": ("Show the version of this client.", "显示本客户端的版本。"),
    "help_server": (
        "Address of the platform; otherwise WUZHEN_SERVER, or the one you signed in to.",
        "平台地址；未给出时用 WUZHEN_SERVER 或登录过的平台。",
    ),
    "help_lang": (
        "Language: en or zh; otherwise WUZHEN_LANG, or the one of your system.",
        "语言：en 或 zh；未给出时用 WUZHEN_LANG 或系统语言。",
    ),
    "help_json": ("Print JSON for programs instead of tables.", "输出供程序读取的 JSON。"),
    "help_login": (
        "Sign in to a platform and keep a token.\n\n"
        "Asks for your e-mail and password. The password is not kept; the token is, readable by "
        "you alone.",
        "登录平台并保存令牌。\n\n会询问邮箱和密码。密码不会保存；\n令牌保存在只有您能读取的文件中。",
    ),
    "help_login_token": (
        "Ask for a token, or read it from standard input, instead of a password.",
        "不用密码，改为输入令牌，或从标准输入读取。",
    ),
    "help_logout": (
        "End the token on the server and forget it here.",
        "在服务器上注销令牌，并从本机删除。",
    ),
    "help_whoami": ("Show who you are and your teams.", "显示您的身份和队伍。"),
    "help_list": (
        "List events, tracks and rounds, and your teams in them.",
        "列出赛事、赛道、轮次和您的队伍。",
    ),
    "help_rules": (
        "Show what a round takes, its limits and your quota.",
        "显示轮次接受什么、有哪些限制，以及您的次数。",
    ),
    "help_submit": (
        "Send a file to a round.\n\n"
        "A lost answer or a failing server is tried again without anything being sent twice.",
        "向轮次提交文件。\n\n应答丢失或服务器出错时会自动重试，不会重复提交。",
    ),
    "help_submit_event": ("Short name of the event (required).", "赛事短名（必填）。"),
    "help_submit_round": ("Short name of the round (required).", "轮次短名（必填）。"),
    "help_submit_team": (
        "Code of your team, if several of yours take part.",
        "队伍编号；您有多支队伍参加时必填。",
    ),
    "help_submit_kind": (
        "What the file is, for example predictions or onnx; otherwise guessed.",
        "文件类型，例如 predictions 或 onnx；默认自动判断。",
    ),
    "help_submit_note": ("A note for your own team.", "给本队看的备注。"),
    "help_submit_wait": (
        "Wait until it is scored; ends like status --watch.",
        "等待评分结束；退出状态同 status --watch。",
    ),
    "help_submit_key": (
        "Repeat an earlier attempt, by the key that it named.",
        "用之前显示的标识重复那次提交。",
    ),
    "help_status": (
        "Show your newest submissions, or what became of one.\n\n"
        "The exit status is 0 once scored, 1 if the submission is invalid or could not be scored.",
        "显示最近的提交，或某次提交的结果。\n\n已评分时退出状态为 0；提交无效或未能评分时为 1。",
    ),
    "help_status_watch": (
        "Follow it until it ended; without an id, your newest one.",
        "一直跟踪到结束；未给出编号时跟踪最近一次。",
    ),
    "help_log": ("Print what a submission wrote while it ran.", "打印提交在运行时的输出。"),
    "help_leaderboard": (
        "Show the public leaderboard of a round.",
        "显示轮次的公开排行榜。",
    ),
    "help_leaderboard_all": (
        "Every team, not the first 20 and yours alone.",
        "显示所有队伍，而不只是前 20 名和您的队伍。",
    ),
    "help_sample": ("Download a round's sample submission.", "下载轮次的提交样例。"),
    "help_sample_output": (
        "File or folder to write to; otherwise the name that the server gives.",
        "写入的文件或文件夹；默认用服务器给出的文件名。",
    ),
    "help_sample_force": ("Overwrite an existing file.", "覆盖已有的文件。"),
    # --- Faults of the command line --------------------------------------------------------
    "error": ("Error: {message}", "错误：{message}"),
    "warning": ("Warning: {message}", "警告：{message}"),
    "see_help": ("{said} See “{command} --help”.", "{said}请参阅“{command} --help”。"),
    "no_such_command": ("There is no command “{name}”.", "没有命令“{name}”。"),
    "no_such_option": ("There is no option “{name}”.", "没有选项“{name}”。"),
    "option_value": (
        "The option “{name}” lacks its value, or takes none.",
        "选项“{name}”缺少取值，或者不接受取值。",
    ),
    "missing": ("“{name}” is missing.", "缺少“{name}”。"),
    "bad_value": ("“{name}”: {reason}", "“{name}”：{reason}"),
    "too_many_arguments": (
        "There are more arguments than this command takes.",
        "参数过多。",
    ),
    "bad_language": ("Choose en or zh.", "请选择 en 或 zh。"),
    "bad_id": (
        "This is not the id of a submission; “wuzhen status” lists them.",
        "这不是提交的编号；运行“wuzhen status”可查看。",
    ),
    "bad_server": (
        "“{server}” is not an address of a server; it looks like https://example.org.",
        "“{server}”不是服务器地址；地址形如 https://example.org。",
    ),
    "no_server": (
        "It is not known which platform to use: run “wuzhen login SERVER”, or give --server.",
        "不知道要使用哪个平台：请运行“wuzhen login 服务器地址”，或给出 --server。",
    ),
    # --- Network and server ----------------------------------------------------------------
    "unreachable": (
        "The server {server} cannot be reached: {reason}",
        "无法连接服务器 {server}：{reason}",
    ),
    "bad_proxy": (
        "The proxy that the environment names cannot be used: {reason}",
        "无法使用环境变量指定的代理：{reason}",
    ),
    "timed_out": (
        "The server {server} did not answer in time.",
        "服务器 {server} 未在规定时间内应答。",
    ),
    "server_failed": (
        "The server {server} failed (HTTP {status}); try again later.",
        "服务器 {server} 出错（HTTP {status}），请稍后再试。",
    ),
    "redirected": (
        "The server {server} sends on to {target}, which was not followed; "
        "sign in there if that is the right address.",
        "服务器 {server} 要求转到 {target}，客户端没有跟随；如果那是正确的地址，请登录该地址。",
    ),
    "not_the_platform": (
        "What {server} answers does not come from a Wuzhen platform; check the address.",
        "{server} 的应答不是来自直通乌镇平台，请检查地址。",
    ),
    "not_found": (
        "The server {server} has nothing under this name (HTTP {status}).",
        "服务器 {server} 上没有该内容（HTTP {status}）。",
    ),
    "too_large_for_server": (
        "The file is larger than the server {server} takes (HTTP {status}).",
        "文件超过服务器 {server} 接受的大小（HTTP {status}）。",
    ),
    "refused": (
        "The server {server} refused (HTTP {status}).",
        "服务器 {server} 拒绝了请求（HTTP {status}）。",
    ),
    "sign_in_again": (
        "{said} Sign in with “wuzhen login”.",
        "{said}请用“wuzhen login”登录。",
    ),
    "plain_http": (
        "{server} is not protected by https; others can read on the way what you send there.",
        "{server} 没有 https 保护，途中可能被他人读取您发送的内容。",
    ),
    "os_error": ("{path}: {reason}", "{path}：{reason}"),
    "no_such_file": (
        "There is no such file or folder: “{path}”.",
        "没有这个文件或文件夹：“{path}”。",
    ),
    "not_allowed": ("“{path}” may not be read or written.", "没有读写“{path}”的权限。"),
    "is_folder": ("“{path}” is a folder.", "“{path}”是文件夹。"),
    "unexpected": (
        "The client met something unexpected ({what}); please report it.",
        "客户端遇到意外情况（{what}），请反馈给我们。",
    ),
    # --- Signing in ------------------------------------------------------------------------
    "ask_server": ("Address of the platform", "平台地址"),
    "ask_email": ("E-mail", "邮箱"),
    "ask_password": ("Password", "密码"),
    "ask_token": ("Token", "令牌"),
    "no_input": (
        "There is nothing to read from standard input.",
        "标准输入中没有内容可读。",
    ),
    "bad_token": (
        "This is not a token: it has characters that no token has.",
        "这不是令牌：其中含有令牌不会有的字符。",
    ),
    "signed_in": (
        "Signed in to {server} as {name} <{email}>.",
        "已登录 {server}，身份为 {name} <{email}>。",
    ),
    "signed_in_until": ("The token is good until {when}.", "令牌有效期至 {when}。"),
    "not_signed_in": (
        "You are not signed in to {server}; run “wuzhen login”.",
        "您尚未登录 {server}，请运行“wuzhen login”。",
    ),
    "signed_out": ("Signed out of {server}.", "已退出 {server}。"),
    "nothing_to_forget": ("No token is kept for {server}.", "本机没有 {server} 的令牌。"),
    "token_from_environment": (
        "WUZHEN_TOKEN is set; its token is not ended.",
        "已设置 WUZHEN_TOKEN，其中的令牌不会注销。",
    ),
    "forgotten_only_here": (
        "The token is forgotten here, but on the server it may stay good. {reason}",
        "令牌已从本机删除，但在服务器上可能仍然有效。{reason}",
    ),
    # --- Events, rounds, teams -------------------------------------------------------------
    "no_events": ("There are no events to see.", "没有可以查看的赛事。"),
    "no_event": (
        "There is no event “{slug}”; “wuzhen list” shows them.",
        "没有赛事“{slug}”；运行“wuzhen list”可查看。",
    ),
    "no_round": (
        "The event “{event}” has no round “{slug}”; it has: {rounds}.",
        "赛事“{event}”没有轮次“{slug}”；现有：{rounds}。",
    ),
    "none": ("none", "无"),
    "event_line": (
        "{name} ({slug}) · {status} · times in {zone}",
        "{name}（{slug}）· {status} · 时间为 {zone}",
    ),
    "not_in_round": (
        "None of your teams takes part in “{round}”.",
        "您没有队伍参加“{round}”。",
    ),
    "not_your_team": (
        "“{team}” is not a team of yours in “{round}”; yours: {teams}.",
        "“{team}”不是您在“{round}”中的队伍；您的队伍：{teams}。",
    ),
    "which_team": (
        "Several of your teams take part; choose one with --team: {teams}.",
        "您有多支队伍参加，请用 --team 选择：{teams}。",
    ),
    "column_track": ("Track", "赛道"),
    "column_round": ("Round", "轮次"),
    "column_name": ("Name", "名称"),
    "column_format": ("Scoring", "评分方式"),
    "column_status": ("Status", "状态"),
    "column_opens": ("Opens", "开始"),
    "column_closes": ("Closes", "截止"),
    "column_your_team": ("Your team", "您的队伍"),
    "column_team": ("Team", "队伍"),
    "column_role": ("Role", "角色"),
    "column_event": ("Event", "赛事"),
    "column_rank": ("Rank", "名次"),
    "column_total": ("Total", "总分"),
    "column_submission": ("Submission", "提交"),
    "column_file": ("File", "文件"),
    "column_received": ("Received", "收到时间"),
    "column_score": ("Public score", "公开分"),
    "column_id": ("Id", "编号"),
    # --- The rules of a round --------------------------------------------------------------
    "row_round": ("Round", "轮次"),
    "row_status": ("Status", "状态"),
    "row_opens": ("Opens", "开始"),
    "row_closes": ("Closes", "截止"),
    "row_takes": ("Takes", "接受"),
    "row_metric": ("Metric", "指标"),
    "row_extra": ("Also shown", "同时显示"),
    "row_id_column": ("Id column", "编号列"),
    "row_public": ("Public part", "公开部分"),
    "row_time": ("Time limit", "时间限制"),
    "row_memory": ("Memory limit", "内存限制"),
    "row_disk": ("Disk limit", "磁盘限制"),
    "row_size": ("Largest file", "文件大小上限"),
    "row_all_sizes": ("Size of all files", "全部文件大小"),
    "row_quota": ("Submissions of a team", "每队次数"),
    "greater": ("{metric}, greater is better", "{metric}，越大越好"),
    "smaller": ("{metric}, smaller is better", "{metric}，越小越好"),
    "public_part": (
        "{percent} %; the rest decides the ranking and stays hidden",
        "{percent} %；其余部分决定最终排名，暂不公开",
    ),
    "seconds": ("{count} s", "{count} 秒"),
    "megabytes": ("{count} MB", "{count} MB"),
    "quota_rule": ("{day} a day, {total} in all", "每天 {day} 次，总共 {total} 次"),
    "quota_state": (
        "today {today} of {day}, in all {used} of {total}; {left} left now; "
        "the next day begins at {resets}",
        "今天已用 {today}/{day}，总共已用 {used}/{total}；现在还可提交 {left} 次；"
        "下一天从 {resets} 开始",
    ),
    "quota_with_size": (
        "{state}; all files together have {used} of {total}",
        "{state}；全部文件已用 {used}/{total}",
    ),
    "judged": ("It is scored by judges and takes no files.", "由评委评分，不接受文件。"),
    "no_task_yet": ("The task is not defined yet.", "任务尚未设定。"),
    # --- Submitting ------------------------------------------------------------------------
    "round_not_accepting": (
        "“{round}” takes no submissions now (opens {opens}, closes {closes}).",
        "“{round}”现在不接受提交（开始：{opens}，截止：{closes}）。",
    ),
    "no_time": ("no date set", "未设定"),
    "kind_not_taken": (
        "“{file}” looks like {kind}; this round takes: {kinds}. "
        "If the name misleads, say what it is with --kind.",
        "“{file}”看起来是{kind}；本轮次接受：{kinds}。如果文件名不准确，请用 --kind 指明类型。",
    ),
    "which_kind": (
        "It cannot be told what “{file}” is; choose one with --kind: {kinds}.",
        "无法判断“{file}”的类型，请用 --kind 选择：{kinds}。",
    ),
    "too_large": (
        "“{file}” has {size} MB; this round takes files up to {limit} MB.",
        "“{file}”大小为 {size} MB；本轮次接受的文件不超过 {limit} MB。",
    ),
    "not_a_file": ("“{path}” is not a file.", "“{path}”不是文件。"),
    "sending": ("Sending {file}", "正在发送 {file}"),
    "perhaps_sent": (
        "{reason} It may have arrived all the same: repeat the command with “--key {key}”, "
        "which cannot send it twice.",
        "{reason}文件可能已经送达：请加上“--key {key}”重复该命令，不会重复提交。",
    ),
    "sent": (
        "Received as submission {number} of {team}: {id}",
        "已收到，为 {team} 的第 {number} 次提交：{id}",
    ),
    "follow": ("Follow it: wuzhen status {id} --watch", "跟踪结果：wuzhen status {id} --watch"),
    # --- What became of it -----------------------------------------------------------------
    "no_submissions": ("Your teams have not submitted anything yet.", "您的队伍还没有提交过。"),
    "no_submission": (
        "Your teams have no submission {id}.",
        "您的队伍没有编号为 {id} 的提交。",
    ),
    "times_in": ("Times in {zone}", "时间为 {zone}"),
    "row_submission": ("Submission", "提交"),
    "row_file": ("File", "文件"),
    "row_note": ("Note", "备注"),
    "row_received": ("Received", "收到时间"),
    "row_score": ("Public score", "公开分"),
    "row_private": ("Private score", "非公开分"),
    "row_fault": ("Fault", "错误"),
    "number_of": ("{team} no. {number}", "{team} 第 {number} 次"),
    "file_line": ("{name} ({kind}, {size})", "{name}（{kind}，{size}）"),
    "platform_failed": (
        "The platform could not score it; it does not count against the quota.",
        "平台未能完成评分；这次提交不计入次数。",
    ),
    "ahead": ("{count} ahead", "前面还有 {count} 个"),
    "about": ("about {time}", "约 {time}"),
    "minutes": ("{count} min", "{count} 分钟"),
    "no_run": (
        "This submission has not been run yet.",
        "这次提交还没有运行过。",
    ),
    "log_missing": (
        "There is no log of this submission.",
        "这次提交没有运行日志。",
    ),
    # --- Leaderboard and sample ------------------------------------------------------------
    "no_board": (
        "“{round}” has no public leaderboard now.",
        "“{round}”目前没有公开排行榜。",
    ),
    "board_line": ("{round} · as of {when}", "{round} · 截至 {when}"),
    "board_frozen": (
        "Frozen since {when}, until the result is published.",
        "自 {when} 起封榜，直至公布结果。",
    ),
    "board_more": (
        "{shown} of {count} teams; --all shows every one.",
        "显示 {shown} 支队伍，共 {count} 支；--all 显示全部。",
    ),
    "no_sample": (
        "“{round}” has no sample submission.",
        "“{round}”没有提交样例。",
    ),
    "exists": (
        "“{path}” is there already; --force overwrites it.",
        "“{path}”已经存在；用 --force 覆盖。",
    ),
    "saved": ("Saved as {path}", "已保存为 {path}"),
    # --- States and kinds, as the API names them -------------------------------------------
    "event_status_draft": ("draft", "草稿"),
    "event_status_published": ("published", "已发布"),
    "event_status_archived": ("archived", "已归档"),
    "round_status_draft": ("in preparation", "筹备中"),
    "round_status_open": ("open", "进行中"),
    "round_status_waiting": ("not taking submissions", "暂不接受提交"),
    "round_status_closed": ("closed", "已截止"),
    "round_status_decided": ("decided", "已定榜"),
    "round_status_published": ("published", "已公布"),
    "format_automated": ("automated", "自动评分"),
    "format_review": ("online review", "线上评审"),
    "format_roadshow": ("roadshow", "路演"),
    "team_status_draft": ("draft", "草稿"),
    "team_status_registered": ("registered", "已报名"),
    "team_status_confirmed": ("confirmed", "已确认"),
    "team_status_withdrawn": ("withdrawn", "已退赛"),
    "team_status_disqualified": ("disqualified", "已取消资格"),
    "team_status_baseline": ("baseline of the organizers", "主办方基线"),
    "role_captain": ("captain", "队长"),
    "role_member": ("member", "队员"),
    "kind_predictions": ("predictions", "预测结果"),
    "kind_onnx": ("model (ONNX)", "模型（ONNX）"),
    "kind_code": ("code (zip, tar.gz)", "代码（zip、tar.gz）"),
    "kind_container": ("container image", "容器镜像"),
    "submission_status_received": ("received", "已接收"),
    "submission_status_scored": ("scored", "已评分"),
    "submission_status_invalid": ("invalid", "无效"),
    "submission_status_failed": ("could not be scored", "未能评分"),
    "submission_status_withdrawn": ("withdrawn", "已撤回"),
    "run_status_queued": ("queued", "排队中"),
    "run_status_running": ("running", "运行中"),
}
