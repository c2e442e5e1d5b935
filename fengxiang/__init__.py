"""风向 Fengxiang: what China's financial regulators put first, by year and by region."""
