"""Rubrics to start from, for the kinds of contest that are usual here. Organizers change them.

Weights and words are ours; they follow what such contests commonly ask of judges. Each guide says
what earns a low, a middling and a high mark, on a scale of 0 to 10.
"""

from dataclasses import dataclass

from contest.bilingual import Bilingual
from judging.models import Criterion, Rubric

Kind = Criterion.Kind
VetoRule = Rubric.VetoRule


@dataclass(frozen=True)
class Line:
    """One criterion of a template; fields as those of Criterion."""

    name_zh: str
    name_en: str
    guide_zh: str
    guide_en: str
    weight: int = 0
    kind: str = Kind.SCORED
    minimum: str = "0"
    maximum: str = "10"
    step: str = "0.5"

    name = Bilingual("name")
    guide = Bilingual("guide")


@dataclass(frozen=True)
class RubricTemplate:
    key: str
    name_zh: str
    name_en: str
    about_zh: str
    about_en: str
    criteria: tuple[Line, ...]
    veto_rule: str = VetoRule.MAJORITY

    name = Bilingual("name")
    about = Bilingual("about")


INNOVATION = RubricTemplate(
    key="innovation",
    name_zh="创新创业大赛评分表",
    name_en="Innovation and entrepreneurship contest",
    about_zh="适用于“互联网+”一类的大学生创新创业大赛：创新、团队、商业、社会效益与就业带动。",
    about_en=(
        "For student contests in the manner of “Internet+”: innovation, team, business, and what "
        "society and employment gain."
    ),
    criteria=(
        Line(
            "创新性",
            "Innovation",
            "看技术、产品或模式有没有自己的东西。\n0–3：照搬已有做法；\n4–6：有局部改进，说得出与同类的差别；\n"
            "7–10：有原创突破，并有专利、论文、测试数据等证据。",
            "Is there something of their own in technology, product or model?\n0–3: a copy of what "
            "exists.\n4–6: an improvement in part, and they can say how it differs.\n7–10: an "
            "original step, with patents, papers or test data to show for it.",
            30,
        ),
        Line(
            "商业性",
            "Business",
            "看市场、盈利模式与财务是否经得起追问。\n0–3：需求靠想象，没有调研；\n4–6：客户与收入来源清楚，"
            "数据不全；\n7–10：有真实客户或订单，成本、定价与竞争分析一致。",
            "Do market, income and figures stand up to questions?\n0–3: a need that is imagined, "
            "no research.\n4–6: clear customers and sources of income, figures incomplete.\n7–10: "
            "real customers or orders; costs, prices and competitors fit together.",
            25,
        ),
        Line(
            "团队",
            "Team",
            "看这些人能不能把这件事做成。\n0–3：分工不清，核心工作由他人完成；\n4–6：专业互补，个别关键岗位缺人；\n"
            "7–10：能力与项目匹配，分工与股权合理，有过共同完成的成果。",
            "Can these people do it?\n0–3: nobody's part is clear, or others did the core of it.\n"
            "4–6: skills that complete each other, a key post open.\n7–10: able and well matched, "
            "fair division of work and shares, something finished together before.",
            20,
        ),
        Line(
            "社会效益与就业带动",
            "Society and employment",
            "看项目对就业、产业与社会的带动。\n0–3：只有口号；\n4–6：带动方式合理，规模尚小；\n"
            "7–10：已有可核实的就业、增收、节能或公益成效，并可推广。",
            "What do employment, industry and society gain?\n0–3: slogans alone.\n4–6: a sensible "
            "way to it, still small.\n7–10: jobs, income, energy saved or help given that can be "
            "checked, and that others could repeat.",
            15,
        ),
        Line(
            "现场展示与答辩",
            "Presentation and answers",
            "0–3：讲不清做了什么，回避问题；\n4–6：条理清楚，部分回答缺依据；\n"
            "7–10：重点突出，回答直接、诚实、有依据。",
            "0–3: unclear what was done; questions are avoided.\n4–6: in good order, some answers "
            "without grounds.\n7–10: to the point; answers are direct, honest and well founded.",
            10,
        ),
    ),
)

ROADSHOW = RubricTemplate(
    key="roadshow",
    name_zh="互联网项目路演评分表",
    name_en="Roadshow of an internet or technology project",
    about_zh="适用于“直通乌镇”一类的路演：技术、产品、市场、团队与现场表现，超时扣分。",
    about_en=(
        "For roadshows in the manner of “Straight to Wuzhen”: technology, product, market, team "
        "and what happens on stage, with points off for running over."
    ),
    criteria=(
        Line(
            "技术创新",
            "Technical innovation",
            "0–3：集成现成部件，没有技术门槛；\n4–6：有自研部分，领先有限；\n"
            "7–10：核心技术自主可控，指标明显优于同类并有第三方验证。",
            "0–3: ready-made parts put together; anybody could.\n4–6: parts of their own, a small "
            "lead.\n7–10: the core is theirs, and clearly better than its kind as others have "
            "verified.",
            30,
        ),
        Line(
            "产品与落地",
            "Product in use",
            "0–3：只有概念或演示视频；\n4–6：有可用原型和试点用户；\n7–10：产品已在真实场景稳定运行，用户持续使用。",
            "0–3: an idea, or a film of one.\n4–6: a prototype that works, with users who try it.\n"
            "7–10: it runs in earnest and people keep using it.",
            25,
        ),
        Line(
            "市场与商业模式",
            "Market and business model",
            "0–3：市场说不清，没有收入路径；\n4–6：市场与客户清楚，模式待验证；\n"
            "7–10：市场空间有依据，收入或融资进展证明模式成立。",
            "0–3: no clear market and no way to an income.\n4–6: market and customers are clear, "
            "the model is untested.\n7–10: a market with evidence; income or investment shows that "
            "the model holds.",
            20,
        ),
        Line(
            "团队",
            "Team",
            "0–3：经验与项目不相关；\n4–6：核心成员称职，尚有短板；\n7–10：行业经验与技术实力兼备，执行记录可查。",
            "0–3: experience that has little to do with the project.\n4–6: able people, a gap or "
            "two.\n7–10: at home in the field and in the technology, with a record to look up.",
            15,
        ),
        Line(
            "路演与答辩",
            "Pitch and answers",
            "0–3：听完不知道产品是什么；\n4–6：清楚但平淡，个别问题未答；\n7–10：简明有力，问题正面回答。",
            "0–3: one does not know afterwards what the product is.\n4–6: clear, if dull; a "
            "question left open.\n7–10: short and strong; questions are met head-on.",
            10,
        ),
        Line(
            "超时扣分",
            "Running over time",
            "每超过规定时间 30 秒扣 1 分，最多扣 5 分；未超时不扣。",
            "One point for each 30 seconds over the time allowed, five at most; none if in time.",
            kind=Kind.PENALTY,
            maximum="5",
            step="1",
        ),
    ),
)

OPEN_SOURCE = RubricTemplate(
    key="open-source",
    name_zh="开源项目评分表",
    name_en="Open-source project",
    about_zh="适用于开源项目竞赛：开放程度、社区、代码质量、技术创新与应用；许可证须为开源许可证。",
    about_en=(
        "For contests of open-source projects: openness, community, quality of the code, "
        "innovation and adoption. The licence must be an open-source one."
    ),
    veto_rule=VetoRule.ANY,
    criteria=(
        Line(
            "采用开源许可证",
            "The licence is open source",
            "仓库中有许可证文件，且为 OSI 认可的许可证（数据与模型可用同类开放许可证）吗？"
            "选“否”即取消资格。",
            "Does the repository hold a licence file, and is it a licence approved by the OSI "
            "(for data and weights, an open one of their kind)? No means that the team is out.",
            kind=Kind.VETO,
            maximum="1",
            step="1",
        ),
        Line(
            "技术创新",
            "Technical innovation",
            "0–3：重复已有项目；\n4–6：在已有项目上有实质改进；\n7–10：解决了以前没有开源方案的问题，或明显更好。",
            "0–3: repeats what exists.\n4–6: a real improvement of it.\n7–10: solves what no open "
            "project did, or does it clearly better.",
            25,
        ),
        Line(
            "代码质量",
            "Quality of the code",
            "0–3：无法构建，没有测试；\n4–6：能构建运行，测试与文档不全；\n"
            "7–10：结构清晰，测试与持续集成完备，新人照文档即可上手。",
            "0–3: does not build, no tests.\n4–6: builds and runs; tests and documents have "
            "holes.\n7–10: clear structure, tests that run on every change, and a newcomer gets "
            "going by the documents alone.",
            25,
        ),
        Line(
            "开放与合规",
            "Openness",
            "0–3：只公开部分代码，依赖许可证冲突；\n4–6：代码公开，开发过程在内部；\n"
            "7–10：代码、议题、路线图与评审全部公开，依赖许可证清楚兼容。",
            "0–3: parts are kept back, or licences of what it uses clash.\n4–6: the code is open, "
            "its making is not.\n7–10: code, issues, plans and reviews are in the open, and the "
            "licences of everything it uses fit.",
            20,
        ),
        Line(
            "社区与治理",
            "Community and governance",
            "0–3：只有一人提交，问题无人回复；\n4–6：有外部贡献者，响应不稳定；\n"
            "7–10：多方持续贡献，有贡献指南、行为准则与维护者接替办法。",
            "0–3: one person commits, issues go unanswered.\n4–6: others contribute, answers come "
            "now and then.\n7–10: several parties keep contributing, by written rules, and "
            "maintainers can be succeeded.",
            15,
        ),
        Line(
            "应用与影响",
            "Adoption",
            "0–3：没有使用者；\n4–6：有个人或课程使用；\n7–10：被其他项目依赖，或在生产环境中使用。",
            "0–3: no users.\n4–6: used by some people or in teaching.\n7–10: other projects depend "
            "on it, or it runs in production.",
            15,
        ),
    ),
)

RESEARCH = RubricTemplate(
    key="research",
    name_zh="科研与模型成果评分表",
    name_en="Research result or model",
    about_zh="适用于科研成果与模型竞赛：原创性、严谨性、可复现性、结果与报告；公开数据或权重加分，超时扣分。",
    about_en=(
        "For research and models: originality, soundness, reproducibility, results, presentation; "
        "a bonus for released data or weights, points off for running over."
    ),
    criteria=(
        Line(
            "原创性",
            "Originality",
            "0–3：套用已有方法；\n4–6：方法或问题有新的组合；\n7–10：提出新问题或新方法，与已有工作的差别讲得清楚。",
            "0–3: known methods as they are.\n4–6: a new combination of methods or questions.\n"
            "7–10: a new question or method, set clearly against earlier work.",
            25,
        ),
        Line(
            "严谨性",
            "Soundness",
            "0–3：结论没有支撑，存在数据泄漏；\n4–6：实验合理，对照或消融不足；\n"
            "7–10：假设清楚，对照公平，误差与局限如实说明。",
            "0–3: conclusions without support, or data leaked.\n4–6: reasonable experiments, too "
            "few controls or ablations.\n7–10: clear assumptions, fair comparison, errors and "
            "limits told honestly.",
            25,
        ),
        Line(
            "可复现性",
            "Reproducibility",
            "0–3：没有代码或步骤；\n4–6：有代码，环境或参数不全；\n7–10：他人按说明一次即可重现主要结果。",
            "0–3: neither code nor steps.\n4–6: code, but setting or parameters are incomplete.\n"
            "7–10: somebody else gets the main results by the instructions at the first attempt.",
            20,
        ),
        Line(
            "结果与意义",
            "Results",
            "0–3：不及常用基线；\n4–6：与同类相当；\n7–10：显著优于公认基线，或让以前做不到的事成为可能。",
            "0–3: below the usual baselines.\n4–6: level with others of its kind.\n7–10: well "
            "above accepted baselines, or makes possible what was not.",
            20,
        ),
        Line(
            "报告与答辩",
            "Presentation",
            "0–3：听众无法跟上；\n4–6：结构清楚，图表需改进；\n7–10：深入浅出，对质疑回应有据。",
            "0–3: one cannot follow.\n4–6: well built, figures could be better.\n7–10: deep and "
            "yet plain; doubts are met with evidence.",
            10,
        ),
        Line(
            "公开数据或权重",
            "Data or weights released",
            "以开放许可证公开训练数据或模型权重：各加 1 分；附数据说明或模型卡再加 1 分。",
            "One point each for training data and for weights under an open licence; one more if "
            "a data sheet or model card comes with them.",
            kind=Kind.BONUS,
            maximum="3",
            step="1",
        ),
        Line(
            "超时扣分",
            "Running over time",
            "每超过规定时间 30 秒扣 1 分，最多扣 5 分；未超时不扣。",
            "One point for each 30 seconds over the time allowed, five at most; none if in time.",
            kind=Kind.PENALTY,
            maximum="5",
            step="1",
        ),
    ),
)

ACADEMIC = RubricTemplate(
    key="academic",
    name_zh="课外学术科技作品评分表",
    name_en="Academic works of students",
    about_zh="适用于“挑战杯”一类的学术科技作品竞赛：科学性、先进性、现实意义，并查验作品由学生完成。",
    about_en=(
        "For academic works in the manner of the Challenge Cup: scientific rigour, advancement, "
        "meaning in practice, and a check that the work is the students' own."
    ),
    criteria=(
        Line(
            "作品为学生本人完成",
            "The work is the students' own",
            "作者能说明每一部分由谁完成，未发现抄袭或他人代做吗？否：投票取消资格。",
            "Can the authors say who did each part, and is there no sign of plagiarism or of "
            "others having done it? No is a vote to exclude the work.",
            kind=Kind.VETO,
            maximum="1",
            step="1",
        ),
        Line(
            "科学性",
            "Scientific rigour",
            "0–3：概念或方法有误，数据不可信；\n4–6：方法正确，论证有缺口；\n7–10：设计严密，数据充分，结论可靠。",
            "0–3: wrong in concept or method, data not to be trusted.\n4–6: right in method, gaps "
            "in the argument.\n7–10: well designed, enough data, conclusions that hold.",
            30,
        ),
        Line(
            "先进性与创新",
            "Advancement",
            "0–3：重复教科书内容；\n4–6：在已有研究上有推进；\n7–10：达到本学科学生作品少见的水平，观点或技术有新意。",
            "0–3: what textbooks say.\n4–6: a step beyond earlier studies.\n7–10: of a level "
            "rarely seen among students of the subject, with a new view or technique.",
            30,
        ),
        Line(
            "现实意义",
            "Meaning in practice",
            "0–3：与实际问题无关；\n4–6：问题真实，作用有限；\n7–10：回应重要的实际需求，成果已被采纳或可直接应用。",
            "0–3: far from any real problem.\n4–6: a real problem, a limited effect.\n7–10: meets "
            "an important need; the results are in use, or could be at once.",
            25,
        ),
        Line(
            "论文与答辩",
            "Paper and defence",
            "0–3：格式混乱，答非所问；\n4–6：表达清楚，引用规范；\n7–10：行文严谨，答辩显示对领域的整体把握。",
            "0–3: in disorder; answers miss the question.\n4–6: clear, sources well cited.\n7–10: "
            "exact in writing, and at home in the whole field when asked.",
            15,
        ),
    ),
)

TEMPLATES = {t.key: t for t in (ROADSHOW, INNOVATION, OPEN_SOURCE, RESEARCH, ACADEMIC)}
