/* SPDX-License-Identifier: MIT */
/* Compat: fields of a word, by a mask of bits that follow one another. */
#ifndef IOASID_LINUX_BITFIELD_H
#define IOASID_LINUX_BITFIELD_H

#include <linux/types.h>

/* Constant where their arguments are. An empty mask has no field: 0. */
#define ioasid_field_unit(mask) ((mask) & (~(mask) + 1))
#define ioasid_field_unit_or_1(mask) (ioasid_field_unit(mask) ? ioasid_field_unit(mask) : 1)

#define FIELD_MAX(mask) ((__typeof__(mask))((mask) / ioasid_field_unit_or_1(mask)))
#define FIELD_FIT(mask, val) (!(((val) * ioasid_field_unit_or_1(mask)) & ~(mask)))
#define FIELD_PREP(mask, val) \
	((__typeof__(mask))(((__typeof__(mask))(val) * ioasid_field_unit(mask)) & (mask)))
#define FIELD_GET(mask, reg) ((__typeof__(mask))(((reg) & (mask)) / ioasid_field_unit_or_1(mask)))

static inline u64 u64_get_bits(u64 value, u64 field)
{
	return FIELD_GET(field, value);
}

static inline u64 u64_encode_bits(u64 value, u64 field)
{
	return FIELD_PREP(field, value);
}

static inline u64 u64_replace_bits(u64 old, u64 value, u64 field)
{
	return (old & ~field) | FIELD_PREP(field, value);
}

static inline void u64p_replace_bits(u64 *p, u64 value, u64 field)
{
	*p = u64_replace_bits(*p, value, field);
}

static inline u32 u32_get_bits(u32 value, u32 field)
{
	return FIELD_GET(field, value);
}

static inline u32 u32_encode_bits(u32 value, u32 field)
{
	return FIELD_PREP(field, value);
}

static inline u32 u32_replace_bits(u32 old, u32 value, u32 field)
{
	return (old & ~field) | FIELD_PREP(field, value);
}

static inline void u32p_replace_bits(u32 *p, u32 value, u32 field)
{
	*p = u32_replace_bits(*p, value, field);
}

#endif
