"""Who takes part in the demo. People, teams and organisations are made up; nothing else is."""

from typing import NamedTuple


class CastTeam(NamedTuple):
    name_zh: str
    name_en: str
    organisation_zh: str
    organisation_en: str
    country: str
    title_zh: str
    title_en: str
    model: str  # key of leaderboard.demo.tasks.MODELS
    kind: str = "predictions"


MODEL_TEAMS = [
    CastTeam("乌篷船", "Black-Awning Boat", "南湖人工智能实验室", "South Lake AI Lab", "CN", "水乡手写体识别", "Water-Town Handwriting", "svm_rbf", "onnx"),
    CastTeam("灯塔", "Lighthouse", "港城理工学院", "Harbour Institute of Technology", "SG", "轻量级视觉编码器", "A Light Vision Encoder", "knn3", "onnx"),
    CastTeam("青石板", "Bluestone", "古镇数字工坊", "Old Town Digital Works", "CN", "青石OCR", "Bluestone OCR", "extra_trees_500"),
    CastTeam("极光", "Aurora", "北极圈大学", "Arctic Circle University", "SE", "低照度数字识别", "Digits in Low Light", "mlp_128", "onnx"),
    CastTeam("茶马", "Tea Horse Road", "高原开源社区", "Highland Open Source Community", "CN", "边缘端推理引擎", "Inference at the Edge", "random_forest_300"),
    CastTeam("阿尔卑斯", "Alpine", "阿尔卑斯机器学习所", "Alpine Institute for Machine Learning", "CH", "核方法再探", "Kernels Revisited", "svm_poly", "onnx"),
    CastTeam("金合欢", "Acacia", "大裂谷创新中心", "Rift Valley Innovation Hub", "KE", "农户记录本识别", "Reading Farmers' Ledgers", "hist_gb"),
    CastTeam("三江口", "Three Rivers", "江口大学", "Jiangkou University", "CN", "可解释数字识别", "Explainable Digits", "logistic", "onnx"),
    CastTeam("枫叶", "Maple Loop", "大湖人工智能学院", "Great Lakes AI College", "CA", "鲁棒的表单读取", "Robust Form Reading", "mlp_64", "onnx"),
    CastTeam("樱", "Sakura Bits", "古都工科大学", "Ancient Capital Institute", "JP", "笔迹不变特征", "Stroke-Invariant Features", "knn5", "onnx"),
    CastTeam("汉江", "Han River", "汉江数据科学院", "Han River Data Academy", "KR", "流形上的近邻", "Neighbours on a Manifold", "knn_distance"),
    CastTeam("孔雀", "Peacock", "南方开源中心", "Southern Centre for Open Source", "IN", "多语种邮编识别", "Postcodes in Many Scripts", "extra_trees_100"),
    CastTeam("黑森林", "Black Forest", "林间应用技术大学", "Forest University of Applied Sciences", "DE", "森林里的森林", "A Forest of Forests", "random_forest_100"),
    CastTeam("塞纳", "Seine", "左岸研究所", "Left Bank Institute", "FR", "判别分析复兴", "Discriminants Reborn", "lda", "onnx"),
    CastTeam("运河", "Grand Canal", "运河智能科技", "Grand Canal Intelligence", "CN", "票据快读", "Fast Receipt Reading", "bagged_knn"),
    CastTeam("潘帕斯", "Pampas", "银河联邦大学", "Silver River Federal University", "BR", "小样本集成", "Ensembles from Few Samples", "gradient_boosting"),
    CastTeam("尼罗", "Nile", "三角洲计算学院", "Delta School of Computing", "EG", "阿拉伯数字迁移", "Transfer to Arabic Digits", "linear_svm"),
    CastTeam("沙丘", "Dune", "海湾人工智能中心", "Gulf AI Centre", "AE", "噪声环境识别", "Recognition under Noise", "ridge"),
    CastTeam("雾都", "Foggy City", "泰晤士数据研究所", "Thames Data Institute", "GB", "概率校准", "Calibrated Probabilities", "qda"),
    CastTeam("橄榄", "Olive", "地中海开放实验室", "Mediterranean Open Lab", "IT", "抽屉档案数字化", "Digitising Drawer Archives", "nusvc"),
    CastTeam("钱塘潮", "Qiantang Tide", "钱塘青年团队", "Qiantang Youth Team", "CN", "潮汐表识别", "Reading Tide Tables", "pca_svm"),
    CastTeam("袋鼠", "Bounding Roo", "南十字大学堂", "Southern Cross College", "AU", "近质心的极限", "How Far Centroids Go", "centroid"),
    CastTeam("湄公", "Mekong", "湄公工程学院", "Mekong School of Engineering", "VN", "决策树蒸馏", "Distilled Trees", "tree_deep"),
    CastTeam("草原", "Steppe", "大草原技术大学", "Great Steppe Technical University", "KZ", "二值像素模型", "Binary Pixel Model", "bernoulli_nb"),
    CastTeam("安第斯", "Andes", "高山计算中心", "High Andes Computing Centre", "CL", "高斯基线", "Gaussian Baseline", "gaussian_nb", "onnx"),
    CastTeam("热带雨林", "Rainforest", "赤道开源协会", "Equator Open Source Society", "ID", "雨林自适应提升", "Adaptive Boosting", "adaboost"),
    CastTeam("象", "White Elephant", "暹罗湾大学", "Gulf of Siam University", "TH", "多项式基线", "Multinomial Baseline", "multinomial_nb"),
    CastTeam("双子塔", "Twin Towers", "半岛数据社", "Peninsula Data Society", "MY", "感知机回顾", "Perceptrons Revisited", "perceptron"),
    CastTeam("好望角", "Good Hope", "两洋大学", "Two Oceans University", "ZA", "浅层决策树", "A Shallow Tree", "tree_shallow"),
    CastTeam("新芽", "Seedling", "中学生开源社", "School Pupils' Open Source Club", "CN", "我的第一个模型", "My First Model", "small_sample_knn"),
]  # fmt: skip

CLINIC_TEAMS = [
    CastTeam("听诊器", "Stethoscope", "江南医工所", "Jiangnan Institute of Medical Engineering", "CN", "可信筛查模型", "Screening You Can Trust", "c_logistic"),
    CastTeam("显微", "Microscope", "北海医学数据中心", "North Sea Medical Data Centre", "NL", "细胞核特征集成", "Nuclei Feature Ensembles", "c_forest"),
    CastTeam("守望", "Watchtower", "高地健康开源组", "Highland Open Health", "GB", "低资源诊断辅助", "Diagnosis with Few Resources", "c_gb"),
    CastTeam("柳叶刀尖", "Scalpel Tip", "东海青年学社", "East Sea Youth Society", "CN", "核函数诊断", "Kernel Diagnosis", "c_svm"),
    CastTeam("脉搏", "Pulse", "恒河数据研究所", "Ganges Data Institute", "IN", "近邻会诊", "Consulting the Neighbours", "c_knn"),
    CastTeam("绿洲", "Oasis", "沙洲大学", "Oasis University", "EG", "朴素的力量", "The Power of Being Naive", "c_nb"),
    CastTeam("银杏", "Ginkgo", "古城科技社", "Old City Technology Club", "JP", "一棵树的诊断", "Diagnosis by One Tree", "c_tree"),
]  # fmt: skip

WINE_TEAMS = [
    CastTeam("酿泉", "Spring Brew", "乌镇青年开发者", "Wuzhen Young Developers", "CN", "产地溯源", "Tracing the Origin", "w_forest"),
    CastTeam("葡萄藤", "Grapevine", "南岸大学", "South Bank University", "FR", "酒样分类", "Classifying Samples", "w_logistic"),
    CastTeam("橡木桶", "Oak Barrel", "西海岸开源社", "West Coast Open Source", "US", "三类成分模型", "A Model of Three Cultivars", "w_tree"),
    CastTeam("蒸馏", "Distillery", "山谷计算社", "Valley Computing Club", "CL", "近邻品鉴", "Tasting by Neighbours", "w_knn"),
]  # fmt: skip

JUDGES = [
    ("林若溪", "乌镇水岸基金", "Wuzhen Waterside Fund"),
    ("Helena Brandt", "莱茵创投", "Rhine Ventures"),
    ("周明远", "江口大学计算机学院", "School of Computing, Jiangkou University"),
    ("Priya Raman", "开放模型联盟", "Open Model Alliance"),
    ("赵思齐", "长河云计算公司", "Long River Cloud"),
    ("Daniel Okafor", "大裂谷科技加速器", "Rift Valley Accelerator"),
    ("沈嘉禾", "开源软件推进会", "Society for the Advance of Open Source"),
]

# Name zh, name en, guide zh, guide en, weight.
CRITERIA = [
    ("技术创新", "Technical innovation", "方法是否新颖，是否优于已有做法？", "Is the method new, and better than what exists?", 30),
    ("开源贡献", "Contribution to open source", "代码、模型与文档是否可复用，许可证是否清楚？", "Can code, model and documents be reused; is the licence clear?", 25),
    ("应用价值", "Use in practice", "谁会使用，能解决多大的问题？", "Who will use it, and how large a problem does it solve?", 25),
    ("现场表达", "Presentation", "讲解是否清楚，答辩是否有说服力？", "Was it clear, and did the answers convince?", 20),
]  # fmt: skip
